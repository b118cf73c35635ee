-- One that a deleted message carried is gone with it, before the clean-up comes by.
select a.*
from attachments a
left join messages m on m.id = a.message_id
where a.id = $1 and m.deleted_at is null
