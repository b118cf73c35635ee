-- A page of a user's channels, whatever their number in one statement; what is costly is looked up for the page only. The first page
-- carries the whole set on its first row.
with page as materialized (
  select m.*, coalesce(h.at, c.created_at) as active_at, false as count_unread
  from channel_members m
  join channels c on c.id = m.channel_id
  left join channel_head h on h.channel_id = m.channel_id
  where m.user_id = $1
    and ($2::bigint is null or (coalesce(h.at, c.created_at), m.channel_id) < ($2, $3::uuid))
  order by active_at desc, m.channel_id desc
  limit $4
),
own as materialized (
  select case when $2::bigint is null then
    -- include own-set
  end as channels
)
-- include channel-rows
