-- Counts each day (UTC) since $1 anew, by channel and in all. What was counted of these days before is replaced.
with message as materialized (
  select
    (to_timestamp(sent_at / 1000.0) at time zone 'utc')::date as day, channel_id, sender_id,
    greatest(0, persisted_at - sent_at)::double precision as persist_ms
  from messages
  where sent_at >= $1
),
by_channel as (
  insert into analytics_channel_day as a (day, channel_id, messages, active_users, persist_ms_average, persist_ms_p95)
  select
    day, channel_id, count(*), count(distinct sender_id), avg(persist_ms),
    percentile_cont(0.95) within group (order by persist_ms)
  from message
  group by day, channel_id
  order by day, channel_id
  on conflict (day, channel_id) do update set
    messages = excluded.messages, active_users = excluded.active_users,
    persist_ms_average = excluded.persist_ms_average, persist_ms_p95 = excluded.persist_ms_p95
),
by_day as (
  insert into analytics_day as a (
    day, messages, active_users, active_channels, persist_ms_average, persist_ms_p50, persist_ms_p95, persist_ms_p99
  )
  select
    day, count(*), count(distinct sender_id), count(distinct channel_id), avg(persist_ms),
    percentile_cont(0.5) within group (order by persist_ms), percentile_cont(0.95) within group (order by persist_ms),
    percentile_cont(0.99) within group (order by persist_ms)
  from message
  group by day
  order by day
  on conflict (day) do update set
    messages = excluded.messages, active_users = excluded.active_users, active_channels = excluded.active_channels,
    persist_ms_average = excluded.persist_ms_average, persist_ms_p50 = excluded.persist_ms_p50,
    persist_ms_p95 = excluded.persist_ms_p95, persist_ms_p99 = excluded.persist_ms_p99
  returning day
)
select count(*) as count from by_day
