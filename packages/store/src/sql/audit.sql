insert into audit (id, at, call_id, actor, address, action, target, outcome)
values (gen_random_uuid(), (extract(epoch from clock_timestamp()) * 1000)::bigint, $1, $2, $3, $4, $5, $6)
