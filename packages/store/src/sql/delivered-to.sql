-- include read-to
cross join lateral (
  select greatest(array[cm.delivered_epoch, cm.delivered_n, cm.delivered_at], read_to) as delivered_to
) received
