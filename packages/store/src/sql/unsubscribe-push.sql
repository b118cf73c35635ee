with gone as (
  delete from push_subscriptions where endpoint = $2 and user_id = $1 returning id
)
delete from offline_notices n using gone where n.user_id = $1 and n.outlet = 'push:' || gone.id
