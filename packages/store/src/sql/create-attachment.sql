insert into attachments (id, channel_id, uploader_id, file_name, content_type, byte_size, storage_key, created_at)
values ($1, $2, $3, $4, $5, $6, $7, (extract(epoch from clock_timestamp()) * 1000)::bigint)
