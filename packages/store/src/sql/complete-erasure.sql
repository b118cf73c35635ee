-- Where it was done is remembered with it. The next time begins at the first channel again.
update erasures set
  completed_at = (extract(epoch from clock_timestamp()) * 1000)::bigint, after_channel = null, erased = $2,
  pg_system = (select system_identifier::text from pg_control_system()),
  pg_timeline = (select timeline_id from pg_control_checkpoint())
where user_id = $1
