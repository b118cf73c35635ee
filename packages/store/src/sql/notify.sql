cross join lateral (
  -- By what a user wants to be reached: what he has not set is the default.
  select
    coalesce((u.notify ->> 'push')::boolean, true) as push,
    coalesce((u.notify ->> 'email')::boolean, true) as email,
    u.notify -> 'quietHours' as quiet_hours
) notify
