with old as (
  select channel_id, epoch, n
  from messages
  where deleted_at is not null and (body <> '' or extra ?| '{attachmentIds,attachments,mentions,encrypted}')
    and deleted_at < $1
  limit $2
),
blanked as (
  update messages m
  set body = '', extra = nullif(m.extra - '{attachmentIds,attachments,mentions,encrypted}'::text[], '{}')
  from old
  where (m.channel_id, m.epoch, m.n) = (old.channel_id, old.epoch, old.n)
  returning m.n
)
select count(*) as count from blanked
