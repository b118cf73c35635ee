-- All or none: whoever is not there in the right state keeps the others from being given.
with usable as materialized (
  select id
  from attachments
  where id = any($1::uuid[]) and channel_id = $2 and uploader_id = $3 and state = 'ready'
    and (message_id is null or message_id = $4)
  order by id
  for update
)
update attachments
set message_id = $4, used_at = coalesce(used_at, (extract(epoch from clock_timestamp()) * 1000)::bigint)
where id in (select id from usable) and (select count(*) from usable) = cardinality($1::uuid[])
returning *
