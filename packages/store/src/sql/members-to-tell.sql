-- Members who have something that some outlet has neither told them nor been asked to: in these channels, or in those with an entry
-- since $5. $2 now, $3 whether there is push, $4 whether there are webhooks.
with active as materialized (
  select channel_id, epoch, n from channel_head where channel_id = any($1::uuid[])
  union
  select channel_id, epoch, n from channel_head where at >= $5::bigint
)
select distinct cm.user_id
from active
join channel_members cm using (channel_id)
join users u on u.id = cm.user_id
-- include notify
-- include delivered-to
where coalesce(cm.muted_until, 0) <= $2
  and
  -- include may-be-told
  and (active.epoch, active.n) > (delivered_to[1], delivered_to[2])
  and exists (
    select
    from (
      select 'push:' || s.id as name from push_subscriptions s where $3 and notify.push and s.user_id = cm.user_id
      union all
      select 'webhook' where $4
    ) outlet
    left join offline_notices told on (told.user_id, told.outlet, told.channel_id) = (cm.user_id, outlet.name, cm.channel_id)
    cross join lateral (
      select greatest(
        array[delivered_to[1], delivered_to[2]], array[coalesce(told.told_epoch, 0), coalesce(told.told_n, 0)]
      ) as place
    ) known
    cross join lateral (
      select
      from messages m
      where
        -- include missed
        and (m.epoch, m.n) > (known.place[1], known.place[2])
      limit 1
    ) fresh
  )
