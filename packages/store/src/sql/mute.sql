update channel_members set muted_until = $3 where (channel_id, user_id) = ($1, $2) returning user_id
