select
  -- include admin-user-columns
from users u
left join user_standing s on s.user_id = u.id
where u.id = $1
