e.user_id, e.asked_at, e.after_channel, coalesce(e.erased, '{}') as erased,
  case when (e.pg_system, e.pg_timeline) = (
    (select system_identifier::text from pg_control_system()), (select timeline_id::bigint from pg_control_checkpoint())
  ) then e.completed_at end as completed_at
