-- Raises cursors. The rows are locked in one order, so that two flushes never wait for each other.
with risen as (
  select
    m.channel_id, m.user_id,
    greatest(array[m.read_epoch, m.read_n, m.read_at], array[row.read_epoch, row.read_n, row.read_at]) as read,
    greatest(
      array[m.delivered_epoch, m.delivered_n, m.delivered_at],
      array[row.delivered_epoch, row.delivered_n, row.delivered_at]
    ) as delivered
  from unnest(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]
  ) as row (channel_id, user_id, read_epoch, read_n, read_at, delivered_epoch, delivered_n, delivered_at)
  join channel_members m using (channel_id, user_id)
  where (m.read_epoch, m.read_n) < (row.read_epoch, row.read_n)
    or (m.delivered_epoch, m.delivered_n) < (row.delivered_epoch, row.delivered_n)
  order by m.channel_id, m.user_id
  for no key update of m
)
update channel_members m
set
  read_epoch = risen.read[1], read_n = risen.read[2], read_at = risen.read[3],
  delivered_epoch = risen.delivered[1], delivered_n = risen.delivered[2], delivered_at = risen.delivered[3]
from risen
where (m.channel_id, m.user_id) = (risen.channel_id, risen.user_id)
