-- Entries that Postgres has neither as messages nor as changes, of channels that it knows.
select entry.channel_id, entry.epoch, entry.n
from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as entry (channel_id, epoch, n)
join channels c on c.id = entry.channel_id
where not exists (select from messages m where (m.channel_id, m.epoch, m.n) = (entry.channel_id, entry.epoch, entry.n))
  and not exists (select from log_change l where (l.channel_id, l.epoch, l.n) = (entry.channel_id, entry.epoch, entry.n))
