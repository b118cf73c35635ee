select c.kind, exists (select from invitations i where (i.channel_id, i.user_id) = (c.id, $2)) as invited
from channels c
where c.id = $1
