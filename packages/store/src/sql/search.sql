-- Messages that hold some words, in channels of one user: who may see them is asked in the same statement. Each comes with the head of
-- its channel in this snapshot, so that whoever keeps the answer knows what it is true for.
select
  -- include message-json
  as message,
  (select to_jsonb(h) from channel_head h where h.channel_id = found.channel_id) as head
from (
  select m.channel_id, m.epoch, m.n
  from messages m
  join channel_members cm on cm.channel_id = m.channel_id and cm.user_id = $1
  where m.body ilike $2
    and m.deleted_at is null
    and coalesce(m.extra -> 'encrypted', 'null') = 'null'
    and ($3::uuid is null or m.channel_id = $3)
    and ($4::uuid is null or m.sender_id = $4)
    and ($5::bigint is null or (m.sent_at, m.id) < ($5, $6::uuid))
  order by m.sent_at desc, m.id desc
  limit $7
) found
join messages message on (message.channel_id, message.epoch, message.n) = (found.channel_id, found.epoch, found.n)
order by message.sent_at desc, message.id desc
