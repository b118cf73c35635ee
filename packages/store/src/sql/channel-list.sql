-- A page of a user's channels, whatever their number in one statement; what is costly is looked up for the page only.
with page as materialized (
  select m.*, coalesce(h.at, c.created_at) as active_at
  from channel_members m
  join channels c on c.id = m.channel_id
  left join channel_head h on h.channel_id = m.channel_id
  where m.user_id = $1
    and ($2::bigint is null or (coalesce(h.at, c.created_at), m.channel_id) < ($2, $3::uuid))
  order by active_at desc, m.channel_id desc
  limit $4
)
-- include channel-rows
