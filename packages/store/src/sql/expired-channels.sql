-- Channels whose oldest entry is from before $1, in the order of ids, after $2.
select h.channel_id
from channel_head h
cross join lateral (
  select least(
    (select sent_at from messages where channel_id = h.channel_id order by epoch, n limit 1),
    (select at from log_change where channel_id = h.channel_id order by epoch, n limit 1)
  ) as at
) oldest
where ($2::uuid is null or h.channel_id > $2) and oldest.at < $1
order by h.channel_id
limit $3
