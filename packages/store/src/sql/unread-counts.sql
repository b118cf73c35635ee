jsonb_build_object(
  -- All, from the index alone, less the few that were deleted.
  'unread', (
    select count(*)
    from messages m
    where m.channel_id = cm.channel_id and (m.epoch, m.n) > (read_to[1], read_to[2])
  ) - (
    select count(*)
    from messages m
    where m.channel_id = cm.channel_id and (m.epoch, m.n) > (read_to[1], read_to[2]) and m.deleted_at is not null
  ),
  'mentions', (
    select count(*)
    from mentions mention
    join messages m using (channel_id, epoch, n)
    where (mention.channel_id, mention.user_id) = (cm.channel_id, cm.user_id)
      and (mention.epoch, mention.n) > (read_to[1], read_to[2]) and m.deleted_at is null
  )
)
