-- Some of a user's channels; $3: with their unread messages, $4: with the whole set on the first row.
with page as materialized (
  select m.*, 0 as active_at, $3::boolean as count_unread
  from channel_members m
  where m.user_id = $1 and m.channel_id = any($2::uuid[])
),
own as materialized (
  select case when $4 then
    -- include own-set
  end as channels
)
-- include channel-rows
