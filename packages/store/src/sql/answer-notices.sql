-- What an outlet said of what it was asked: $7 whether it has told it; else anybody may ask again. Nothing else may have been asked since.
update offline_notices n
set
  told_epoch = case when $7 then n.asked_epoch else n.told_epoch end,
  told_n = case when $7 then n.asked_n else n.told_n end,
  told_at = case when $7 then $6 else n.told_at end,
  asked_epoch = case when $7 then null else n.asked_epoch end,
  asked_n = case when $7 then null else n.asked_n end,
  asked_until = 0
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[]) as row (user_id, outlet, channel_id, epoch, n)
where (n.user_id, n.outlet, n.channel_id) = (row.user_id, row.outlet, row.channel_id)
  and (n.asked_epoch, n.asked_n) = (row.epoch, row.n)
