select
  cm.channel_id,
  -- All, from the index alone, less the few that were deleted.
  (
    select count(*)
    from messages m
    where m.channel_id = cm.channel_id and (m.epoch, m.n) > (read_to[1], read_to[2])
  ) - (
    select count(*)
    from messages m
    where m.channel_id = cm.channel_id and (m.epoch, m.n) > (read_to[1], read_to[2]) and m.deleted_at is not null
  ) as unread,
  (
    select count(*)
    from mentions mention
    join messages m using (channel_id, epoch, n)
    where (mention.channel_id, mention.user_id) = (cm.channel_id, cm.user_id)
      and (mention.epoch, mention.n) > (read_to[1], read_to[2]) and m.deleted_at is null
  ) as mentions
from channel_members cm
-- include read-to
where cm.user_id = $1 and cm.channel_id = any($2::uuid[])
