select id, text, at
from announcements
where $1::bigint is null or (at, id) < ($1, $2::uuid)
order by at desc, id desc
limit $3
