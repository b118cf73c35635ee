with gone as (
  delete from push_subscriptions where id = $1 returning id, user_id
)
delete from offline_notices n using gone where n.user_id = gone.user_id and n.outlet = 'push:' || gone.id
