c.id, c.kind, c.name, c.topic, c.avatar_url, c.encrypted, c.member_count, c.member_limit, c.created_at, c.archived_at,
  h.epoch as head_epoch, h.n as head_n, coalesce(h.at, c.created_at) as active_at
