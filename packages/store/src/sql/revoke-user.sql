insert into user_standing as s (user_id, revoked_at)
select id, (extract(epoch from clock_timestamp()) * 1000)::bigint from users where id = $1
on conflict (user_id) do update set revoked_at = greatest(s.revoked_at, excluded.revoked_at)
returning user_id
