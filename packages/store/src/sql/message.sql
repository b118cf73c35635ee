select * from messages where id = $2 and channel_id = $1
