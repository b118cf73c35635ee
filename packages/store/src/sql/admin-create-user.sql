-- No claims yet: the first token that comes says what the user is called.
insert into users (id, name, avatar_url, email, claims_hash, created_at)
select $1, $2, $3, $4, '', (extract(epoch from clock_timestamp()) * 1000)::bigint
on conflict (id) do nothing
returning id
