-- Looks at the next $3 after a place, oldest first. What is in nobody's hands is marked, so that no message can take it any more; what was
-- marked by a run that did not end is named again.
with looked_at as (
  select id, created_at, state, message_id
  from attachments
  where (created_at, id) > ($1::bigint, $2::uuid)
  order by created_at, id
  limit $3
),
condemned as (
  update attachments a
  set state = 'deleted'
  from looked_at l
  left join messages m on m.id = l.message_id
  where a.id = l.id and a.state <> 'deleted' and a.message_id is not distinct from l.message_id
    and (
      a.created_at < $6::bigint
      or m.deleted_at is not null
      or (a.message_id is null and a.created_at < $4)
      or (a.message_id is not null and m.id is null and a.used_at < $5)
    )
  returning a.id
)
select l.id, l.created_at, l.state = 'deleted' or c.id is not null as condemned
from looked_at l
left join condemned c on c.id = l.id
order by l.created_at, l.id
