with channel as (
  delete from analytics_channel_day where day < (to_timestamp($1 / 1000.0) at time zone 'utc')::date returning day
),
whole as (
  delete from analytics_day where day < (to_timestamp($1 / 1000.0) at time zone 'utc')::date returning day
)
select (select count(*) from channel) + (select count(*) from whole) as count
