select
  -- include member-json
  as member,
  (select min(epoch) from log_partition) as epoch, (select version from channels where id = $1) as version
from (
  select *
  from channel_members
  where channel_id = $1 and ($2::bigint is null or (joined_at, user_id) > ($2, $3::uuid))
  order by joined_at, user_id
  limit $4
) cm
join users u on u.id = cm.user_id
-- include read-to
order by cm.joined_at, cm.user_id
