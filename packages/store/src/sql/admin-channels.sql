-- A page of all channels, newest first; with a part of a name, of those that have it.
select
  -- include admin-channel-columns
from (
  select *
  from channels
  where ($1::text is null or name ilike $1) and ($2::bigint is null or (created_at, id) < ($2, $3::uuid))
  order by created_at desc, id desc
  limit $4
) c
left join channel_head h on h.channel_id = c.id
order by c.created_at desc, c.id desc
