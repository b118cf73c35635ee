-- A message that `cm.user_id` can be told of.
m.channel_id = cm.channel_id and m.sender_id <> cm.user_id and m.deleted_at is null and not (
  -- include is-blocked
)
