select to_jsonb(u) || jsonb_build_object('standing', to_jsonb(s)) as row
from users u
left join user_standing s on s.user_id = u.id
where u.id = $1
