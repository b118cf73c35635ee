not exists (select from user_standing s where s.user_id = u.id and (s.disabled_at is not null or s.erased_at is not null))
