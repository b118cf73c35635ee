delete from invitations where (channel_id, user_id) = ($1, $2)
