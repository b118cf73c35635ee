select
  -- include member-json
  as member
from channel_members cm
join users u on u.id = cm.user_id
-- include read-to
where cm.channel_id = $1 and cm.user_id = any($2::uuid[])
