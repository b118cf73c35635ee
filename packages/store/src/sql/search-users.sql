-- Users by a part of their name, by the trigrams of it; those whose name begins with it come first.
select u.id, u.name, u.avatar_url, u.status_text, u.last_seen_at
from users u
where (u.name ilike $2 or u.name ilike $3)
  and
    -- include findable
order by u.name ilike $3 desc, u.name, u.id
limit $4
