cross join lateral (
  -- A member has read up to his own newest message: a send moves no row of his.
  select greatest(
    array[cm.read_epoch, cm.read_n, cm.read_at],
    (
      select array[own.epoch, own.n, own.sent_at]
      from messages own
      where own.channel_id = cm.channel_id and own.sender_id = cm.user_id
      order by own.epoch desc, own.n desc
      limit 1
    )
  ) as read_to
) effective
