-- Makes the channel and its members, or finds it. A channel that another call has made since this statement began is in neither
-- `made` nor `found`: then there is no row, and the caller asks again.
with wanted as materialized (
  select distinct on (user_id) user_id, rank
  from unnest($6::uuid[], $7::smallint[]) as w (user_id, rank)
  order by user_id, rank desc
),
found as materialized (
  select * from channels where id = $1
),
unknown as materialized (
  select user_id
  from wanted
  where not exists (select from found) and (
    not exists (select from users u where u.id = user_id)
    or exists (select from user_standing s where s.user_id = wanted.user_id and s.erased_at is not null)
  )
),
deleted as materialized (
  select from deleted_channels where id = $1
),
made as (
  insert into channels (id, kind, name, encrypted, member_limit, member_count, created_at)
  select
    $1, $2, $3, $4, $5, (select count(*) from wanted), (extract(epoch from clock_timestamp()) * 1000)::bigint
  where not exists (select from found) and not exists (select from unknown) and not exists (select from deleted)
  on conflict (id) do nothing
  returning *
),
joined as (
  insert into channel_members (channel_id, user_id, rank, joined_at)
  select made.id, wanted.user_id, wanted.rank, made.created_at from made, wanted
)
select to_jsonb(made) as channel, true as created, null::json as unknown, false as deleted from made
union all
select to_jsonb(found), false, null, false from found
union all
select null, false, null, true from deleted
union all
select null, false, json_agg(user_id), false from unknown having count(*) > 0
