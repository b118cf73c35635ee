select id, at, call_id, actor, address, action, target, outcome
from audit
where $1::bigint is null or (at, id) < ($1, $2::uuid)
order by at desc, id desc
limit $3
