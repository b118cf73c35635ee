-- One stretch of channels in the order of their ids: what the user said there is blanked, at most as much as may be at once. Each
-- channel is looked up by sender. A blank message stays at its place, for what is dense must stay so.
with stretch as materialized (
  select id from channels where $2::uuid is null or id > $2 order by id limit $3
),
his as materialized (
  select m.channel_id, m.epoch, m.n
  from stretch
  cross join lateral (
    select channel_id, epoch, n
    from messages
    where channel_id = stretch.id and sender_id = $1 and (body <> '' or extra is not null or deleted_at is null)
    limit $4
  ) m
  limit $4
),
blanked as (
  update messages m set
    body = '', extra = null,
    deleted_at = coalesce(m.deleted_at, (extract(epoch from clock_timestamp()) * 1000)::bigint)
  from his
  where (m.channel_id, m.epoch, m.n) = (his.channel_id, his.epoch, his.n)
  returning 1
)
select
  coalesce((select json_agg(id order by id) from stretch), '[]') as channel_ids,
  (select count(*) from blanked) as messages
