-- One epoch for every partition: greater than all before it, and than the clock, so that even a Postgres restored from an old copy
-- opens one that was never used. With $3 it begins because this Postgres has lost what it had: then it is kept up to where it has each
-- channel, so that who saw more is not taken for somebody who saw the same.
with kept as (
  update channel_head set kept_epoch = epoch, kept_n = n where $3
)
update log_partition
set
  epoch = next.epoch, run_id = $1, replication_id = $2,
  pg_system = (select system_identifier::text from pg_control_system()),
  pg_timeline = (select timeline_id from pg_control_checkpoint()),
  opened_at = (extract(epoch from clock_timestamp()) * 1000)::bigint,
  restored_epoch = case when $3 then next.epoch else restored_epoch end
from (
  select greatest(1 + max(epoch), floor(extract(epoch from clock_timestamp()))::bigint) as epoch from log_partition
) next
returning next.epoch
