-- Of the range of `cm`, what `cm.user_id` can be told of: how many, and the newest ones.
cross join lateral (
  select count(*) as count, coalesce(json_agg(to_jsonb(one) order by one.rank) filter (where one.rank <= 20), '[]') as messages
  from (
    select
      m.id, m.epoch, m.n, m.sender_id, m.sent_at, s.name as sender_name, m.body,
      c.encrypted or m.extra -> 'encrypted' is not null as hidden,
      row_number() over (order by m.epoch desc, m.n desc) as rank
    from messages m
    left join users s on s.id = m.sender_id
    where
      -- include missed
      and (m.epoch, m.n) > (cm.told_epoch, cm.told_n) and (m.epoch, m.n) <= (cm.asked_epoch, cm.asked_n)
  ) one
) missed
