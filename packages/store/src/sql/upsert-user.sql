-- Writes only when the claims are new or have changed.
with known as materialized (
  select * from users where id = $1 and claims_hash = $6
),
written as (
  insert into users as u (id, name, avatar_url, email, locale, claims_hash, created_at)
  select $1, $2, $3, $4, $5, $6, (extract(epoch from clock_timestamp()) * 1000)::bigint
  where not exists (select from known)
  on conflict (id) do update set
    name = excluded.name, avatar_url = excluded.avatar_url, email = excluded.email, locale = excluded.locale,
    claims_hash = excluded.claims_hash
  returning *
)
select * from known
union all
select * from written
