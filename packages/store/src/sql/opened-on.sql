-- The server that the newest epoch was opened on, and whether this Postgres is another than the one that opened it.
select
  p.run_id, p.replication_id,
  (p.pg_system, p.pg_timeline) is distinct from (control.system_identifier::text, checkpoint.timeline_id::bigint) as restored
from log_partition p, pg_control_system() control, pg_control_checkpoint() checkpoint
where p.run_id is not null and p.replication_id is not null
order by p.epoch desc, p.partition
limit 1
