select
  c.kind,
  exists (select from invitations i where (i.channel_id, i.user_id) = (c.id, $2)) as invited,
  -- In his row as long as Postgres has not heard that he left.
  greatest(
    0,
    (select cm.silenced_until from channel_members cm where (cm.channel_id, cm.user_id) = (c.id, $2)),
    (select s.until from silences s where (s.channel_id, s.user_id) = (c.id, $2))
  ) as silenced_until
from channels c
where c.id = $1
