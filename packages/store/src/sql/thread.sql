-- Replies on both sides of a position, oldest first, as `page` for a channel.
select
  page.side,
  -- include message-json
  as message
from (
  (
    select 'before' as side, id, epoch, n
    from messages
    where thread_of = $6 and channel_id = $1 and (epoch, n) < ($2, $3)
    order by epoch desc, n desc
    limit $4
  )
  union all
  (
    select 'from', id, epoch, n
    from messages
    where thread_of = $6 and channel_id = $1 and (epoch, n) >= ($2, $3)
    order by epoch, n
    limit $5
  )
) page
join messages message on (message.channel_id, message.epoch, message.n) = ($1, page.epoch, page.n)
order by page.epoch, page.n
