insert into audit (at, call_id, actor, address, action, target, outcome)
values ((extract(epoch from clock_timestamp()) * 1000)::bigint, $1, $2, $3, $4, $5, $6)
