-- Users who share a channel with $1, by a part of their name; those whose name begins with it come first.
with peer as materialized (
  select distinct other.user_id
  from channel_members mine
  join channel_members other using (channel_id)
  where mine.user_id = $1
)
select u.id, u.name, u.avatar_url, u.status_text, u.last_seen_at
from peer
join users u on u.id = peer.user_id
where u.name ilike $2
  and
    -- include findable
order by u.name ilike $3 desc, u.name, u.id
limit $4
