select
  cm.channel_id,
  -- include unread-counts
  as counts
from channel_members cm
-- include read-to
where cm.user_id = $1 and cm.channel_id = any($2::uuid[])
