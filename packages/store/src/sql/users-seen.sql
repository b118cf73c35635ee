-- Raises times; an erased user was never seen. The rows are locked in one order, so that two workers never wait for each other.
with later as (
  select u.id, row.at
  from unnest($1::uuid[], $2::bigint[]) as row (id, at)
  join users u using (id)
  where (u.last_seen_at is null or u.last_seen_at < row.at)
    and not exists (select from user_standing standing where standing.user_id = u.id and standing.erased_at is not null)
  order by u.id
  for no key update of u
)
update users u set last_seen_at = later.at from later where u.id = later.id
