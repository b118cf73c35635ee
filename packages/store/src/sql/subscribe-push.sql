-- Keeps a subscription, and of the user's others the newest ones: $7 in all.
with kept as (
  insert into push_subscriptions as s (id, user_id, endpoint, p256dh, auth, expires_at, created_at)
  select gen_random_uuid(), $1, $2, $3, $4, $5, $6
  -- A node may not have heard of an erasure yet.
  where not exists (select from user_standing e where e.user_id = $1 and e.erased_at is not null)
  on conflict (endpoint) do update set
    -- The browser of another user: what was told there before does not count for this one.
    id = case when s.user_id = excluded.user_id then s.id else excluded.id end,
    user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth, expires_at = excluded.expires_at,
    created_at = excluded.created_at
)
delete from push_subscriptions s
using (
  select id from push_subscriptions where user_id = $1 and endpoint <> $2 order by created_at desc offset $7 - 1
) old
where s.id = old.id
