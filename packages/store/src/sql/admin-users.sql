-- A page of all users, newest first; with a part of a name, of those who have it.
select
  -- include admin-user-columns
from (
  select *
  from users
  where ($1::text is null or name ilike $1) and ($2::bigint is null or (created_at, id) < ($2, $3::uuid))
  order by created_at desc, id desc
  limit $4
) u
left join user_standing s on s.user_id = u.id
order by u.created_at desc, u.id desc
