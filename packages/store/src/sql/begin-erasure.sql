-- From here on he is a deleted user: nobody comes in as him, and what he was called is gone.
with known as (
  update users set
    name = $2, avatar_url = null, email = null, locale = null, status_text = null, claims_hash = '',
    last_seen_at = null, claimed_name = null, claimed_avatar_url = null, notify = null
  where id = $1
  returning id
),
barred as (
  insert into user_standing as s (user_id, disabled_at, erased_at)
  select id, clock.now, clock.now from known, (select (extract(epoch from clock_timestamp()) * 1000)::bigint as now) clock
  on conflict (user_id) do update set
    disabled_at = coalesce(s.disabled_at, excluded.disabled_at), erased_at = coalesce(s.erased_at, excluded.erased_at)
)
insert into erasures as e (user_id, asked_at)
select id, (extract(epoch from clock_timestamp()) * 1000)::bigint from known
on conflict (user_id) do update set completed_at = null
returning
  -- include erasure-columns
