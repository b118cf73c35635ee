-- include may-be-told
    and not exists (select from blocks b where b.user_id = $1 and b.blocked_id = u.id)
    and u.id <> $1
