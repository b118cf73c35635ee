jsonb_build_object(
  'id', u.id, 'name', u.name, 'avatar_url', u.avatar_url, 'status_text', u.status_text, 'last_seen_at', u.last_seen_at
)
