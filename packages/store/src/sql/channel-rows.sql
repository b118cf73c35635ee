select
  cm.active_at, to_jsonb(c) as channel, cm.rank, to_jsonb(read_to) as read_to,
  coalesce(cm.muted_until > extract(epoch from now()) * 1000, false) as muted,
  (select to_jsonb(h) from channel_head h where h.channel_id = cm.channel_id) as head,
  (
    select
      -- include message-json
    from messages message
    where message.channel_id = cm.channel_id
    order by message.epoch desc, message.n desc
    limit 1
  ) as last_message,
  (
    select json_agg(
      -- include user-json
      order by first.joined_at, first.user_id
    )
    from (
      select user_id, joined_at from channel_members
      where channel_id = cm.channel_id
      order by joined_at, user_id
      limit 8
    ) first
    join users u on u.id = first.user_id
  ) as members
from page cm
join channels c on c.id = cm.channel_id
-- include read-to
order by cm.active_at desc, cm.channel_id desc
