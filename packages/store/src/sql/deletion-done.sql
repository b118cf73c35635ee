update deleted_channels set removed_at = (extract(epoch from clock_timestamp()) * 1000)::bigint
where id = $1 and removed_at is null
