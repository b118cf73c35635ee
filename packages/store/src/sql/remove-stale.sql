-- Subscriptions that have expired, and notices of outlets and memberships that are no more.
with expired as (
  delete from push_subscriptions where expires_at <= $1 returning id
),
stale as (
  select n.user_id, n.outlet, n.channel_id
  from offline_notices n
  where (
      n.outlet like 'push:%'
      and not exists (select from push_subscriptions s where 'push:' || s.id = n.outlet and s.user_id = n.user_id)
    )
    or not exists (select from channel_members cm where (cm.channel_id, cm.user_id) = (n.channel_id, n.user_id))
  limit $2
),
gone as (
  delete from offline_notices n
  using stale
  where (n.user_id, n.outlet, n.channel_id) = (stale.user_id, stale.outlet, stale.channel_id)
  returning n.user_id
)
select (select count(*) from expired) + (select count(*) from gone) as count
