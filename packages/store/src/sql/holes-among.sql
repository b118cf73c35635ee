select c.channel_id, c.epoch, c.n, c.by_epoch, c.by_n
from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as entry (channel_id, epoch, n)
join log_change c using (channel_id, epoch, n)
where c.kind in ('s', 'x')
