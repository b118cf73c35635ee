jsonb_build_object(
  'user',
  -- include user-json
  , 'rank', cm.rank, 'joined_at', cm.joined_at, 'read_to', read_to,
  'delivered_to', greatest(array[cm.delivered_epoch, cm.delivered_n, cm.delivered_at], read_to)
)
