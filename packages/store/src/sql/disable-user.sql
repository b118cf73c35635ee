insert into user_standing as s (user_id, disabled_at)
select id, case when $2::boolean then (extract(epoch from clock_timestamp()) * 1000)::bigint end from users where id = $1
on conflict (user_id) do update set disabled_at = excluded.disabled_at
where s.erased_at is null
returning user_id
