select channel_id, epoch, n from channel_head where channel_id = any($1::uuid[])
