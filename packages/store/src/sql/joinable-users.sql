select *
from users u
where id = any($1::uuid[]) and not exists (select from user_standing s where s.user_id = u.id and s.erased_at is not null)
