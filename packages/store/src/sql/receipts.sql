select user_id, case when (delivered[1], delivered[2]) >= ($2, $3) then delivered[3] end as delivered_at,
  case when (read_to[1], read_to[2]) >= ($2, $3) then read_to[3] end as read_at
from (
  select cm.user_id, read_to, greatest(array[cm.delivered_epoch, cm.delivered_n, cm.delivered_at], read_to) as delivered
  from channel_members cm
  -- include read-to
  where cm.channel_id = $1 and cm.user_id <> $4
) cursor
where (delivered[1], delivered[2]) >= ($2, $3)
