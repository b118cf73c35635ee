import pg from 'pg';
import type { Answered, Evidence, Standing, Stretch } from './compare.ts';

const KEPT = `
  with asked as (select * from unnest($1::uuid[], $2::text[], $3::text[]) as a(channel_id, id, position))
  select m.channel_id, m.epoch || '-' || m.n as position, m.id::text from asked a join messages m on m.id::text = a.id
  union
  select m.channel_id, m.epoch || '-' || m.n, m.id::text from asked a
  join messages m on m.channel_id = a.channel_id and m.epoch = split_part(a.position, '-', 1)::bigint and m.n = split_part(a.position, '-', 2)::bigint
  union
  select c.channel_id, c.epoch || '-' || c.n, null from asked a
  join log_change c on c.channel_id = a.channel_id and c.epoch = split_part(a.position, '-', 1)::bigint and c.n = split_part(a.position, '-', 2)::bigint`;

const STRETCHES = `
  with entries as (select channel_id, epoch, n from messages union all select channel_id, epoch, n from log_change)
  select channel_id, epoch::float8 as epoch, min(n)::float8 as first, max(n)::float8 as last, count(*)::float8 as entries,
    (count(*) - count(distinct n))::float8 as shared,
    coalesce((select entries.epoch < (select max(restored_epoch) from log_partition)
      and (entries.epoch, max(entries.n)) > (coalesce(h.kept_epoch, 0), coalesce(h.kept_n, 0))
      from channel_head h where h.channel_id = entries.channel_id), false) as restored,
    coalesce((select h.removed_n from channel_head h where (h.channel_id, h.removed_epoch) = (entries.channel_id, entries.epoch)), 0)::float8 as removed
  from entries where not exists (select from deleted_channels d where d.id = channel_id) group by channel_id, epoch`;

const DELETED = 'select id from deleted_channels where id = any($1::uuid[])';

const TOTALS = `
  select (select count(*) from messages)::float8 as messages,
    (select count(*) - count(distinct (channel_id, sender_id, client_msg_id)) from messages)::float8 as twins`;

const AHEAD = `
  select c.channel_id, c.read_epoch || '-' || c.read_n as position from channel_members c left join channel_head h using (channel_id)
  where (c.read_epoch, c.read_n) > (coalesce(h.epoch, 0), coalesce(h.n, 0))`;

const BATCH = 5_000;

/** What Postgres has, read after the log: an entry that left the log in between is here. */
export async function readPostgresSide(
  url: string,
  answered: readonly Answered[],
): Promise<Pick<Evidence, 'answered' | 'kept' | 'stretches' | 'twins' | 'ahead' | 'messages'>> {
  const client = new pg.Client({ connectionString: url, application_name: 'parley-verify' });
  await client.connect();
  try {
    const kept: Standing[] = [];
    for (let i = 0; i < answered.length; i += BATCH) {
      const asked = answered.slice(i, i + BATCH);
      const { rows } = await client.query<{ channel_id: string; position: string; id: string | null }>(KEPT, [
        asked.map((answer) => answer.channelId),
        asked.map((answer) => answer.id),
        asked.map((answer) => answer.position),
      ]);
      kept.push(...rows.map((row) => ({ channelId: row.channel_id, position: row.position, id: row.id })));
    }
    const stretches = await client.query<Omit<Stretch, 'channelId'> & { channel_id: string }>(STRETCHES);
    const totals = await client.query<{ messages: number; twins: number }>(TOTALS);
    const { messages = 0, twins = 0 } = totals.rows[0] ?? {};
    const ahead = await client.query<{ channel_id: string; position: string }>(AHEAD);
    // What was said in a channel that was deleted since is not lost.
    const channelIds = [...new Set(answered.map((answer) => answer.channelId))];
    const deleted = await client.query<{ id: string }>(DELETED, [channelIds]);
    const gone = new Set(deleted.rows.map(({ id }) => id));
    return {
      answered: answered.filter((answer) => !gone.has(answer.channelId)),
      kept,
      stretches: stretches.rows.map(({ channel_id, ...rest }) => ({ channelId: channel_id, ...rest })),
      twins,
      ahead: ahead.rows.map((row) => ({ channelId: row.channel_id, position: row.position })),
      messages,
    };
  } finally {
    await client.end();
  }
}
