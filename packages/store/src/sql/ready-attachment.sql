update attachments
set state = 'ready', content_type = $2, byte_size = $3, ready_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
where id = $1 and state = 'pending'
returning *
