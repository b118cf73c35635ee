with known as materialized (
  select from users where id = $2
),
made as (
  insert into blocks (user_id, blocked_id, at)
  select $1, $2, (extract(epoch from clock_timestamp()) * 1000)::bigint from known
  -- A node may not have heard of an erasure yet.
  where not exists (select from user_standing s where s.user_id in ($1, $2) and s.erased_at is not null)
  on conflict (user_id, blocked_id) do nothing
)
select exists (select from known) as known
