insert into erasures (user_id, asked_at)
select * from unnest($1::uuid[], $2::bigint[])
on conflict (user_id) do nothing
