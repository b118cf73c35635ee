cross join lateral (
  -- By what a user wants to be reached. As JSON, so that a database without the column has it as the defaults.
  select
    coalesce((to_jsonb(u) -> 'notify' ->> 'push')::boolean, true) as push,
    coalesce((to_jsonb(u) -> 'notify' ->> 'email')::boolean, true) as email,
    to_jsonb(u) -> 'notify' -> 'quietHours' as quiet_hours
) notify
