update erasures set after_channel = $2 where user_id = $1
