select
  u.id, u.name, u.email, notify.push, notify.email as mail, notify.quiet_hours,
  coalesce(
    (
      select json_agg(to_jsonb(s) order by s.created_at)
      from push_subscriptions s
      where s.user_id = u.id and (s.expires_at is null or s.expires_at > $2)
    ),
    '[]'
  ) as subscriptions
from users u
-- include notify
where u.id = $1
  and
  -- include may-be-told
