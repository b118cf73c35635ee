-- What happened in a channel after a position, with what says whether the caller may see it, from one snapshot.
select
  (select epoch from log_partition where partition = $5) as epoch,
  coalesce((select version from channels where id = $1), 0) as version,
  exists (select from channel_members where channel_id = $1 and user_id = $2) as member,
  (
    ($3::bigint, $4::bigint) = (0, 0)
    or (
      exists (select from messages where (channel_id, epoch, n) = ($1, $3, $4))
      or exists (select from log_change where (channel_id, epoch, n) = ($1, $3, $4))
      or exists (select from channel_head where channel_id = $1 and (removed_epoch, removed_n) = ($3, $4))
    )
    -- Whoever went beyond what a restored copy had may have seen what is lost, also where later entries were saved by the log.
    and not exists (
      select
      from log_partition p
      join channel_head h on h.channel_id = $1
      cross join lateral (select coalesce(h.kept_epoch, 0) as epoch, coalesce(h.kept_n, 0) as n) kept
      where p.partition = $5 and $3 < p.restored_epoch and (
        ($3, $4) > (kept.epoch, kept.n)
        or exists (
          select from messages m
          where m.channel_id = $1 and (m.epoch, m.n) > (kept.epoch, kept.n) and m.epoch < p.restored_epoch
        )
        or exists (
          select from log_change c
          where c.channel_id = $1 and (c.epoch, c.n) > (kept.epoch, kept.n) and c.epoch < p.restored_epoch
        )
      )
    )
  ) as known,
  exists (select from channel_head where channel_id = $1 and (removed_epoch, removed_n) > ($3, $4)) as expired,
  coalesce(
    (
      select json_agg(
        -- include message-json
        order by message.epoch, message.n
      )
      from (
        select * from messages where channel_id = $1 and (epoch, n) > ($3, $4) order by epoch, n limit $6
      ) message
    ),
    '[]'
  ) as messages,
  coalesce(
    (
      select json_agg(
        to_jsonb(c) || jsonb_build_object('member', case when c.kind in ('j', 'u') then (
          select
            -- include member-json
          from channel_members cm
          join users u on u.id = cm.user_id
          -- include read-to
          where cm.channel_id = c.channel_id and cm.user_id = c.target
        ) end, 'message', case when c.kind in ('e', 'd', 'r') then (
          select
            -- include message-json
          from messages message
          where message.id = c.target
        ) end, 'channel', case when c.kind = 'h' then (
          select to_jsonb(changed) from channels changed where changed.id = c.channel_id
        ) end)
        order by c.epoch, c.n
      )
      from (
        select * from log_change where channel_id = $1 and (epoch, n) > ($3, $4) order by epoch, n limit $6
      ) c
    ),
    '[]'
  ) as changes
