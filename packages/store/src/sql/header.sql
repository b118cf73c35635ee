-- A channel's header from one snapshot. Unread is counted for all members in one pass over the messages after the lowest cursor:
-- going down from the newest, a member has as many unread as messages were met before his cursor.
with member as materialized (
  select
    cm.user_id, cm.rank, greatest(cm.silenced_until, blocked.until) as silenced_until, read_to,
    greatest(array[cm.delivered_epoch, cm.delivered_n, cm.delivered_at], read_to) as delivered_to
  from channel_members cm
  -- include read-to
  cross join lateral (
    -- What somebody writes to one who has blocked him is refused for ever, which is `FOR_EVER_MS`.
    select case when exists (
      select from channels c
      join channel_members other on other.channel_id = c.id
      join blocks b on (b.user_id, b.blocked_id) = (other.user_id, cm.user_id)
      where c.id = cm.channel_id and c.kind = 'direct'
    ) then 9999999999999 else 0 end as until
  ) blocked
  where cm.channel_id = $1
),
step as (
  select read_to[1] as epoch, read_to[2] as n, 0 as message, member from member
  union all
  select epoch, n, 1, null
  from messages
  where channel_id = $1 and (epoch, n) > (select low[1], low[2] from (select min(read_to) as low from member) lowest)
),
passed as (
  -- At the same position the cursor comes before the message: what is read up to is read.
  select message, member, sum(message) over (order by epoch desc, n desc, message rows unbounded preceding) as unread
  from step
)
select
  p.epoch, c.version, c.member_limit, c.archived_at,
  (select to_jsonb(h) from channel_head h where h.channel_id = c.id) as head,
  exists (
    select from channel_head h
    where h.channel_id = c.id and h.epoch < p.restored_epoch
      and (h.epoch, h.n) > (coalesce(h.kept_epoch, 0), coalesce(h.kept_n, 0))
  ) as doubtful,
  coalesce(
    (
      select json_agg(hole.n order by hole.n)
      from log_change hole
      where hole.channel_id = c.id and hole.epoch = p.epoch and hole.kind in ('s', 'x')
    ),
    '[]'
  ) as holes,
  coalesce(
    (
      -- Those that somebody may have unread; of very many the newest.
      select json_agg(json_build_array(gone.epoch, gone.n) order by gone.epoch, gone.n)
      from (
        select epoch, n
        from messages
        where channel_id = $1 and deleted_at is not null
          and (epoch, n) > (select low[1], low[2] from (select min(read_to) as low from member) lowest)
        order by epoch desc, n desc
        limit 200
      ) gone
    ),
    '[]'
  ) as deleted,
  coalesce(
    (
      select json_agg(
        json_build_array(
          (member).user_id, (member).rank, (member).silenced_until, (member).read_to, (member).delivered_to, unread,
          (
            select json_agg(json_build_array(mention.epoch, mention.n) order by mention.epoch, mention.n)
            from (
              select epoch, n
              from mentions
              where channel_id = $1 and user_id = (member).user_id
                and (epoch, n) > ((member).read_to[1], (member).read_to[2])
              order by epoch desc, n desc
              limit 200
            ) mention
          )
        )
      )
      from passed
      where message = 0
    ),
    '[]'
  ) as members
from channels c, log_partition p
where c.id = $1 and p.partition = $2
