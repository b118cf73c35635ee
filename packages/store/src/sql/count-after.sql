select count(*) as messages from messages where channel_id = $1 and (epoch, n) > ($2, $3) and (epoch, n) <= ($4, $5)
