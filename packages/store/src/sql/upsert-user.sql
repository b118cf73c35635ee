-- Writes only when the claims are new or have changed, and never again once the user was erased. A name or picture that he has set
-- himself stays until the claim in its place is another one.
with known as materialized (
  select u.*
  from users u
  where id = $1 and (
    claims_hash = $6
    or exists (select from user_standing s where s.user_id = u.id and s.erased_at is not null)
  )
),
written as (
  insert into users as u (id, name, avatar_url, claimed_name, claimed_avatar_url, email, locale, claims_hash, created_at)
  select $1, $2, $3, $2, $3, $4, $5, $6, (extract(epoch from clock_timestamp()) * 1000)::bigint
  where not exists (select from known)
  on conflict (id) do update set
    name = case when u.claimed_name is distinct from excluded.name then excluded.name else u.name end,
    avatar_url = case
      when u.claimed_avatar_url is distinct from excluded.avatar_url then excluded.avatar_url else u.avatar_url
    end,
    claimed_name = excluded.claimed_name, claimed_avatar_url = excluded.claimed_avatar_url,
    email = excluded.email, locale = excluded.locale, claims_hash = excluded.claims_hash
  returning *
)
select * from known
union all
select * from written
