select channel_id from channel_members where user_id = $1 order by channel_id limit $2
