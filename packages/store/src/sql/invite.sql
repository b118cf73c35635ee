insert into invitations (channel_id, user_id, invited_by, at)
select $1, u.id, $2, (extract(epoch from clock_timestamp()) * 1000)::bigint
from users u
where u.id = any($3::uuid[])
  and not exists (select from user_standing s where s.user_id = u.id and s.erased_at is not null)
  and not exists (select from channel_members cm where (cm.channel_id, cm.user_id) = ($1, u.id))
on conflict do nothing
returning user_id
