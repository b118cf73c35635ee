-- Messages on both sides of a position, oldest first: the nearest ones before it, and the nearest ones from it on.
select *
from (
  (
    select 'before' as side, m.*
    from messages m
    where channel_id = $1 and (epoch, n) < ($2, $3)
    order by epoch desc, n desc
    limit $4
  )
  union all
  (
    select 'from', m.*
    from messages m
    where channel_id = $1 and (epoch, n) >= ($2, $3)
    order by epoch, n
    limit $5
  )
) page
order by epoch, n
