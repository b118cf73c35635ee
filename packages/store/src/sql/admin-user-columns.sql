u.id, u.name, u.avatar_url, u.status_text, u.last_seen_at, u.email, u.locale, u.created_at, s.disabled_at, s.revoked_at, s.erased_at,
  (select count(*) from channel_members m where m.user_id = u.id) as channels
