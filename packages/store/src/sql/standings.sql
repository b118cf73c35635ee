-- Only of users of whom there is something to say.
select
  asked.user_id, s.disabled_at, s.erased_at, s.revoked_at,
  coalesce((select json_agg(r.sid) from revoked_sessions r where r.user_id = asked.user_id), '[]') as revoked_sids
from unnest($1::uuid[]) as asked (user_id)
left join user_standing s on s.user_id = asked.user_id
where s.user_id is not null or exists (select from revoked_sessions r where r.user_id = asked.user_id)
