with known as materialized (
  select id from users where id = $1
),
ended as (
  insert into revoked_sessions (user_id, sid, at)
  select id, $2, (extract(epoch from clock_timestamp()) * 1000)::bigint from known
  on conflict (user_id, sid) do nothing
)
select id as user_id from known
