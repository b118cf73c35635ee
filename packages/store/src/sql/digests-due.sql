-- Users with an address whose oldest unread message in some channel is from before $2, and who got no digest since then.
-- $1 now, $3 channels without an entry since then were looked at before.
select distinct cm.user_id
from channel_head head
join channel_members cm on cm.channel_id = head.channel_id
join users u on u.id = cm.user_id
-- include notify
-- include read-to
left join offline_notices told on (told.user_id, told.outlet, told.channel_id) = (cm.user_id, 'email', cm.channel_id)
cross join lateral (
  select greatest(read_to[1:2], array[coalesce(told.told_epoch, 0), coalesce(told.told_n, 0)]) as place
) known
cross join lateral (
  select m.sent_at
  from messages m
  where
    -- include missed
    and (m.epoch, m.n) > (known.place[1], known.place[2])
  order by m.epoch, m.n
  limit 1
) oldest
where
  -- include may-be-told
  and head.at >= $3 and u.email is not null and notify.email and coalesce(cm.muted_until, 0) <= $1
  and (head.epoch, head.n) > (known.place[1], known.place[2])
  and oldest.sent_at <= $2
  and not exists (
    select from offline_notices sent where sent.user_id = cm.user_id and sent.outlet = 'email' and sent.told_at > $2
  )
