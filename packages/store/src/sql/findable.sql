not exists (select from user_standing s where s.user_id = u.id and (s.disabled_at is not null or s.erased_at is not null))
    and not exists (select from blocks b where b.user_id = $1 and b.blocked_id = u.id)
    and u.id <> $1
