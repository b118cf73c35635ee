-- Whether `cm.user_id` has blocked `m.sender_id`.
exists (select from blocks b where (b.user_id, b.blocked_id) = (cm.user_id, m.sender_id))
