-- Users who share a channel with $1, those of the most recently active channel first. A channel gives no more members than are asked
-- for, and as many again for those who are left out.
with mine as materialized (
  select m.channel_id, coalesce(h.at, c.created_at) as active_at
  from channel_members m
  join channels c on c.id = m.channel_id
  left join channel_head h on h.channel_id = m.channel_id
  where m.user_id = $1
),
peer as materialized (
  select other.user_id, max(mine.active_at) as active_at
  from mine
  cross join lateral (
    select user_id from channel_members where channel_id = mine.channel_id order by joined_at, user_id limit 2 * $2::int
  ) other
  group by other.user_id
)
select u.id, u.name, u.avatar_url, u.status_text, u.last_seen_at
from peer
join users u on u.id = peer.user_id
where
    -- include findable
order by peer.active_at desc, u.id
limit $2
