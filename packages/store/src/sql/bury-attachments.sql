delete from attachments where id = any($1::uuid[]) and state = 'deleted'
