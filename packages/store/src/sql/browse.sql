-- Public channels by name or topic. Activity is another table's: what the words leave is sorted, at most all public channels.
select coalesce(h.at, c.created_at) as active_at, to_jsonb(c) as channel
from channels c
left join channel_head h on h.channel_id = c.id
where c.kind = 'public' and c.archived_at is null
  and ($1::text is null or c.name ilike $1 or c.topic ilike $1)
  and ($2::bigint is null or (coalesce(h.at, c.created_at), c.id) < ($2, $3::uuid))
order by active_at desc, c.id desc
limit $4
