(
  -- All channels of a user, unless they are too many to be worth keeping.
  select json_agg(json_build_array(o.channel_id, oc.created_at, o.muted_until))
  from channel_members o
  join channels oc on oc.id = o.channel_id
  where o.user_id = $1
  having count(*) <= 500
)
