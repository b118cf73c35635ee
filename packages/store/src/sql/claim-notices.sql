-- What outlets are to tell a user now: $1 user, $2 outlets, $3 now, $4 how long nobody else asks them, $5 whether he knows only what he
-- has read, $6 whether an outlet tells all channels together, $7 how many at most. What an outlet was asked and has not answered is asked again as it was.
with pending as materialized (
  select
    cm.user_id, cm.channel_id, wanted.outlet, told.asked_until, known.place as after,
    case when (told.asked_epoch, told.asked_n) > (known.place[1], known.place[2])
      then array[told.asked_epoch, told.asked_n]
    end as asked
  from channel_members cm
  join channel_head head on head.channel_id = cm.channel_id
  -- include delivered-to
  cross join unnest($2::text[]) as wanted (outlet)
  left join offline_notices told on (told.user_id, told.outlet, told.channel_id) = (cm.user_id, wanted.outlet, cm.channel_id)
  cross join lateral (
    select greatest(
      case when $5 then read_to[1:2] else delivered_to[1:2] end,
      array[coalesce(told.told_epoch, 0), coalesce(told.told_n, 0)]
    ) as place
  ) known
  where cm.user_id = $1 and coalesce(cm.muted_until, 0) <= $3
    and (head.epoch, head.n) > (known.place[1], known.place[2])
),
free as materialized (
  select cm.user_id, cm.outlet, cm.channel_id, cm.after, coalesce(cm.asked, newest.place) as up_to
  from pending cm
  left join lateral (
    select array[m.epoch, m.n] as place
    from messages m
    where
      -- include missed
      and (m.epoch, m.n) > (cm.after[1], cm.after[2])
    order by m.epoch desc, m.n desc
    limit 1
  ) newest on cm.asked is null
  where (cm.asked is null or cm.asked_until <= $3)
    and (
      not $6 or cm.asked is not null
      or not exists (select from pending other where other.outlet = cm.outlet and other.asked is not null)
    )
),
claimed as (
  insert into offline_notices as n (
    user_id, outlet, channel_id, told_epoch, told_n, asked_epoch, asked_n, asked_until
  )
  select user_id, outlet, channel_id, after[1], after[2], up_to[1], up_to[2], $3 + $4
  from free
  where up_to is not null
  order by channel_id, outlet
  limit $7
  on conflict (user_id, outlet, channel_id) do update set
    told_epoch = excluded.told_epoch, told_n = excluded.told_n,
    asked_epoch = excluded.asked_epoch, asked_n = excluded.asked_n, asked_until = excluded.asked_until
  -- Another run may have been faster since the snapshot: then this one gets nothing.
  where n.asked_until <= $3 and (n.told_epoch, n.told_n) <= (excluded.told_epoch, excluded.told_n)
  returning *
)
select
  (select max(asked_until) from pending where asked is not null and asked_until > $3) as held_until,
  coalesce(
    (
      select json_agg(
        jsonb_build_object(
          'outlet', cm.outlet, 'channel', to_jsonb(c), 'after', array[cm.told_epoch, cm.told_n],
          'up_to', array[cm.asked_epoch, cm.asked_n], 'count', missed.count, 'messages', missed.messages
        )
        order by cm.outlet, cm.channel_id
      )
      from claimed cm
      join channels c on c.id = cm.channel_id
      -- include missed-messages
    ),
    '[]'
  ) as notices
