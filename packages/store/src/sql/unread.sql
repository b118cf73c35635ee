select
  cm.channel_id,
  (
    select count(*)
    from messages m
    where m.channel_id = cm.channel_id and (m.epoch, m.n) > (read_to[1], read_to[2])
  ) as unread
from channel_members cm
-- include read-to
where cm.user_id = $1 and cm.channel_id = any($2::uuid[])
