-- Removes a channel's oldest entries from before $2, at most $3. Times never fall along positions, so they are its beginning. What says
-- where the history begins now is written in the same statement.
with oldest as materialized (
  select epoch, n, at
  from (
    (select epoch, n, sent_at as at from messages where channel_id = $1 order by epoch, n limit $3)
    union all
    (select epoch, n, at from log_change where channel_id = $1 order by epoch, n limit $3)
  ) entry
  order by epoch, n
  limit $3
),
last as materialized (
  select epoch, n from oldest where at < $2 order by epoch desc, n desc limit 1
),
marked as (
  update channel_head h set removed_epoch = last.epoch, removed_n = last.n
  from last
  where h.channel_id = $1 and (h.removed_epoch, h.removed_n) < (last.epoch, last.n)
),
message as (
  delete from messages m using last where m.channel_id = $1 and (m.epoch, m.n) <= (last.epoch, last.n) returning m.id, m.n
),
reaction as (
  delete from reactions r using message where r.message_id = message.id
),
mention as (
  delete from mentions t using last where t.channel_id = $1 and (t.epoch, t.n) <= (last.epoch, last.n)
),
change as (
  delete from log_change c using last where c.channel_id = $1 and (c.epoch, c.n) <= (last.epoch, last.n) returning c.n
)
select
  (select count(*) from message) as messages, (select count(*) from change) as changes,
  (select epoch from last) as epoch, (select n from last) as n
