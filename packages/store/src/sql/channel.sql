with page as materialized (
  select m.*, 0 as active_at from channel_members m where m.channel_id = $1 and m.user_id = $2
)
-- include channel-rows
