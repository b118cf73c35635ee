-- What an outlet was asked to tell, as it is now: $1 user, $2 channel, after $3 and $4, up to $5 and $6, $7 now. No row when nothing of it
-- can be told any more, or the user may not be told.
select
  to_jsonb(c) as channel, jsonb_build_array(cm.told_epoch, cm.told_n) as after,
  jsonb_build_array(cm.asked_epoch, cm.asked_n) as up_to, missed.count, missed.messages
from (
  select
    user_id, channel_id, muted_until, $3::bigint as told_epoch, $4::bigint as told_n, $5::bigint as asked_epoch,
    $6::bigint as asked_n
  from channel_members
  where (channel_id, user_id) = ($2, $1)
) cm
join users u on u.id = cm.user_id
join channels c on c.id = cm.channel_id
-- include missed-messages
where coalesce(cm.muted_until, 0) <= $7
  and
  -- include may-be-told
  and missed.count > 0
