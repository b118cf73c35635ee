-- A stretch of channels, and in which of them the user has said something.
select c.id, exists (select from messages m where m.channel_id = c.id and m.sender_id = $1) as spoken
from (
  select id from channels where $2::uuid is null or id > $2 order by id limit $3
) c
order by c.id
