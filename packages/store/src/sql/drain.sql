-- One batch of a lane, in one statement: it commits whole or not at all.
-- A partition whose row another worker holds, whose cursor has moved or whose epoch is not the log's, is not in `mine`, and nothing
-- of it is written. All parts see the snapshot from before the statement, so what one entry does to another was folded by the caller.
with mine as materialized (
  select p.partition, move.to_epoch, move.to_k
  from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    as move (partition, epoch, from_epoch, from_k, to_epoch, to_k)
  join log_partition p
    on (p.partition, p.epoch, p.read_epoch, p.read_k) = (move.partition, move.epoch, move.from_epoch, move.from_k)
  for update of p skip locked
),

-- Messages.
sent as materialized (
  select row.*
  from unnest(
    $7::smallint[], $8::uuid[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::uuid[], $14::uuid[], $15::uuid[],
    $16::text[], $17::jsonb[], $52::uuid[], $53::bigint[], $54::bigint[]
  ) as row (
    partition, channel_id, epoch, n, m, sent_at, id, sender_id, client_msg_id, body, extra, thread_of, edited_at, deleted_at
  )
  join mine using (partition)
),
kept as (
  -- Of twins in one batch the first stands. The conflict is named: a position used twice must raise, not pass for a twin.
  insert into messages (
    channel_id, epoch, n, m, sent_at, id, sender_id, client_msg_id, body, extra, thread_of, edited_at, deleted_at
  )
  select channel_id, epoch, n, m, sent_at, id, sender_id, client_msg_id, body, extra, thread_of, edited_at, deleted_at
  from sent
  order by channel_id, epoch, n
  on conflict (channel_id, sender_id, client_msg_id) do nothing
  returning channel_id, epoch, n, sender_id, client_msg_id
),
twin as materialized (
  select
    sent.partition, sent.channel_id, sent.epoch, sent.n, sent.sent_at, sent.sender_id, sent.client_msg_id,
    coalesce(older.epoch, kept.epoch) as by_epoch, coalesce(older.n, kept.n) as by_n
  from sent
  left join messages older using (channel_id, sender_id, client_msg_id)
  left join kept using (channel_id, sender_id, client_msg_id)
  -- Twins are rare, and without this gate the planner's search for them costs more than the insert.
  where (select count(*) from kept) < (select count(*) from sent)
    and (coalesce(older.epoch, kept.epoch), coalesce(older.n, kept.n)) is distinct from (sent.epoch, sent.n)
),
mentioned as (
  -- Of those that stand: a mention by a twin is none.
  insert into mentions (channel_id, user_id, epoch, n)
  select row.channel_id, row.user_id, row.epoch, row.n
  from unnest($55::smallint[], $56::uuid[], $57::uuid[], $58::bigint[], $59::bigint[])
    as row (partition, channel_id, user_id, epoch, n)
  join kept using (channel_id, epoch, n)
  on conflict do nothing
),

-- Changes of messages: each says the whole, and the last of a message was taken. Those of the batch's own messages are in `sent`.
amended as (
  update messages m
  set body = row.body, edited_at = row.edited_at, deleted_at = row.deleted_at
  from unnest($60::smallint[], $61::uuid[], $62::uuid[], $63::text[], $64::bigint[], $65::bigint[])
    as row (partition, channel_id, message_id, body, edited_at, deleted_at)
  join mine using (partition)
  where m.id = row.message_id
    and (m.body, m.edited_at, m.deleted_at) is distinct from (row.body, row.edited_at, row.deleted_at)
),
reaction as materialized (
  select row.*
  from unnest($66::smallint[], $67::uuid[], $68::uuid[], $69::uuid[], $70::text[], $71::bigint[], $72::boolean[])
    as row (partition, channel_id, message_id, user_id, emoji, at, added)
  join mine using (partition)
),
reacted as (
  insert into reactions (channel_id, message_id, user_id, emoji, at)
  select channel_id, message_id, user_id, emoji, at from reaction where added
  -- Taken back and given again within the batch.
  on conflict (message_id, user_id, emoji) do update set at = excluded.at
),
unreacted as (
  delete from reactions r
  using reaction
  where not reaction.added
    and (r.message_id, r.user_id, r.emoji) = (reaction.message_id, reaction.user_id, reaction.emoji)
),

-- Members. Who was one before is asked of the snapshot, in which nobody else can change these channels: their partition is locked.
member as materialized (
  select row.*, before.user_id is not null as was_member, before.silenced_until as was_silenced_until
  from unnest(
    $18::smallint[], $19::uuid[], $20::uuid[], $21::smallint[], $22::bigint[], $23::bigint[], $24::bigint[], $25::bigint[],
    $26::boolean[], $73::bigint[]
  ) as row (partition, channel_id, user_id, rank, version, epoch, n, at, joined, silenced_until)
  join mine using (partition)
  left join channel_members before using (channel_id, user_id)
),
gone as (
  delete from channel_members m
  using member
  where member.rank is null and (m.channel_id, m.user_id) = (member.channel_id, member.user_id)
),
come as (
  -- Who joins has read what was said before.
  insert into channel_members as m (
    channel_id, user_id, rank, joined_at, read_epoch, read_n, read_at, delivered_epoch, delivered_n, delivered_at,
    silenced_until
  )
  select channel_id, user_id, rank, at, epoch, n, at, epoch, n, at, coalesce(silenced_until, 0)
  from member
  where rank is not null and (joined or not was_member)
  order by channel_id, user_id
  on conflict (channel_id, user_id) do update set
    rank = excluded.rank, joined_at = excluded.joined_at,
    read_epoch = excluded.read_epoch, read_n = excluded.read_n, read_at = excluded.read_at,
    delivered_epoch = excluded.delivered_epoch, delivered_n = excluded.delivered_n, delivered_at = excluded.delivered_at,
    silenced_until = excluded.silenced_until
),
ranked as (
  update channel_members m
  set rank = member.rank, silenced_until = coalesce(member.silenced_until, m.silenced_until)
  from member
  where member.rank is not null and not member.joined and member.was_member
    and (m.channel_id, m.user_id) = (member.channel_id, member.user_id)
),
silence as materialized (
  select channel_id, user_id, rank, at, coalesce(silenced_until, was_silenced_until) as until
  from member
  where rank is null or joined or not was_member
),
remembered as (
  -- A silence goes with the member's row, and would be shaken off by coming again.
  insert into silences as s (channel_id, user_id, until)
  select channel_id, user_id, until from silence where rank is null and until > at
  on conflict (channel_id, user_id) do update set until = excluded.until
),
forgotten as (
  delete from silences s
  using silence
  where (silence.rank is not null or silence.until <= silence.at)
    and (s.channel_id, s.user_id) = (silence.channel_id, silence.user_id)
),
uninvited as (
  -- Whoever has come is invited no more; nor does an older invitation bring back whoever went.
  delete from invitations i
  using member
  where (i.channel_id, i.user_id) = (member.channel_id, member.user_id)
),
changed_channel as materialized (
  select row.*
  from unnest($74::smallint[], $75::uuid[], $76::bigint[], $77::text[], $78::text[], $79::text[], $80::bigint[])
    as row (partition, channel_id, version, name, topic, avatar_url, archived_at)
  join mine using (partition)
),
counted as (
  -- More members than the limit: the check on the table refuses the whole batch.
  update channels c
  set
    version = greatest(c.version, change.version, changed_channel.version),
    member_count = c.member_count + coalesce(change.come - change.gone, 0),
    name = case when changed_channel.version is null then c.name else changed_channel.name end,
    topic = case when changed_channel.version is null then c.topic else changed_channel.topic end,
    avatar_url = case when changed_channel.version is null then c.avatar_url else changed_channel.avatar_url end,
    archived_at = case when changed_channel.version is null then c.archived_at else changed_channel.archived_at end
  from (
    select
      channel_id, max(version) as version,
      count(*) filter (where rank is not null and not was_member) as come,
      count(*) filter (where rank is null and was_member) as gone
    from member
    group by channel_id
  ) change
  full join changed_channel using (channel_id)
  where c.id = channel_id
),

-- Every position that is not a message has a row here.
changed as (
  insert into log_change (channel_id, epoch, n, at, kind, target, actor_id, operation_id, by_epoch, by_n)
  select channel_id, epoch, n, at, kind, target, actor_id, operation_id, null, null
  from unnest(
    $27::smallint[], $28::uuid[], $29::bigint[], $30::bigint[], $31::bigint[], $32::text[], $33::uuid[], $34::uuid[], $35::uuid[]
  ) as row (partition, channel_id, epoch, n, at, kind, target, actor_id, operation_id)
  join mine using (partition)
  union all
  select channel_id, epoch, n, sent_at, 's', null, sender_id, client_msg_id, by_epoch, by_n from twin
),
buried as (
  insert into dead_letter (
    partition, epoch, k, channel_id, channel_epoch, channel_n, sender_id, client_msg_id, line, reason, at
  )
  select
    partition, epoch, k, channel_id, channel_epoch, channel_n, sender_id, client_msg_id, line, reason,
    (extract(epoch from clock_timestamp()) * 1000)::bigint
  from unnest(
    $36::smallint[], $37::bigint[], $38::bigint[], $39::uuid[], $40::bigint[], $41::bigint[], $42::uuid[], $43::uuid[],
    $44::bytea[], $45::text[]
  ) as row (partition, epoch, k, channel_id, channel_epoch, channel_n, sender_id, client_msg_id, line, reason)
  join mine using (partition)
),
head as (
  insert into channel_head (channel_id, epoch, n, m, at)
  select channel_id, epoch, n, m, at
  from unnest($46::smallint[], $47::uuid[], $48::bigint[], $49::bigint[], $50::bigint[], $51::bigint[])
    as row (partition, channel_id, epoch, n, m, at)
  join mine using (partition)
  order by channel_id
  on conflict (channel_id) do update set epoch = excluded.epoch, n = excluded.n, m = excluded.m, at = excluded.at
  -- What another server's drain has passed is written late, and is not the newest.
  where (excluded.epoch, excluded.n) > (channel_head.epoch, channel_head.n)
),
moved as (
  update log_partition p set read_epoch = mine.to_epoch, read_k = mine.to_k
  from mine
  where p.partition = mine.partition
  returning p.partition
)
select
  coalesce((select array_agg(partition) from moved), '{}') as moved,
  coalesce((select json_agg(twin) from twin), '[]') as twins
