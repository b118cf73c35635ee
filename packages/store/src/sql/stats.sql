-- How much was said in a channel. Time never falls within a channel, so the messages of the last days are those after the newest older
-- one: the primary key finds both ends, and the hottest table needs no index on its times.
with edge as (
  select epoch, n
  from messages
  where channel_id = $1 and sent_at < $2
  order by epoch desc, n desc
  limit 1
),
recent as materialized (
  select sender_id, sent_at
  from messages
  where channel_id = $1
    and (epoch, n) > (coalesce((select epoch from edge), 0), coalesce((select n from edge), 0))
)
select
  (select count(*) from messages where channel_id = $1) as messages,
  coalesce((select member_count from channels where id = $1), 0) as members,
  (
    select count(*)
    from channel_members cm
    where cm.channel_id = $1 and cm.user_id in (select sender_id from recent)
  ) as active_members,
  coalesce(
    (
      select json_agg(json_build_object('day', day, 'messages', messages) order by day)
      from (
        select to_char(to_timestamp(sent_at / 1000.0) at time zone 'utc', 'YYYY-MM-DD') as day, count(*) as messages
        from recent
        group by 1
      ) days
    ),
    '[]'
  ) as per_day
