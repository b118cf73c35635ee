select id, at, call_id, actor, address, action, target, outcome
from audit
where $1::bigint is null or id < $1
order by id desc
limit $2
