-- What became of an operation. What stands goes before what was rejected, since a rejected one may have been accepted anew.
select type, id, epoch, n, at, reason
from (
  select 1 as certainty, 'persisted' as type, id, epoch, n, sent_at as at, null as reason
  from messages
  where (channel_id, sender_id, client_msg_id) = ($1, $2, $3)
  union all
  select case kind when 'x' then 4 else 2 end, case kind when 'x' then 'rejected' else 'persisted' end, operation_id, epoch, n, at, 'rejected'
  from log_change
  where (channel_id, operation_id, actor_id) = ($1, $3, $2) and kind <> 's'
  union all
  select 3, 'rejected', null, null, null, null, reason
  from dead_letter
  where (channel_id, sender_id, client_msg_id) = ($1, $2, $3)
) found
order by certainty, epoch desc, n desc
limit 1
