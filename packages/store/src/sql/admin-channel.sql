select
  -- include admin-channel-columns
from channels c
left join channel_head h on h.channel_id = c.id
where c.id = $1
