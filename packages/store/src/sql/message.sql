select
  -- include message-json
  as message
from messages message
where message.id = $2 and message.channel_id = $1
