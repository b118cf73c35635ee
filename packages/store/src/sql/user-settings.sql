select
  coalesce(u.notify, '{}') as notify,
  coalesce((select json_agg(b.blocked_id order by b.at, b.blocked_id) from blocks b where b.user_id = u.id), '[]') as blocked
from users u
where u.id = $1
