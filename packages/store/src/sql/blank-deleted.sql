with old as (
  select channel_id, epoch, n
  from messages
  where deleted_at is not null and (body <> '' or extra -> 'encrypted' is not null) and deleted_at < $1
  limit $2
),
blanked as (
  update messages m
  set body = '', extra = nullif(m.extra - '{attachmentIds,mentions,encrypted}'::text[], '{}')
  from old
  where (m.channel_id, m.epoch, m.n) = (old.channel_id, old.epoch, old.n)
  returning m.n
)
select count(*) as count from blanked
