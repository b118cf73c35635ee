import type pg from 'pg';
import { KIND_NAMES } from './log-side.ts';
import type { Happening, Subject } from './timeline.ts';

const MESSAGE = `
  select channel_id, epoch || '-' || n as position, id, sender_id, client_msg_id from messages
  where id = $1 or (channel_id, epoch, n) = ($2, $3, $4)`;

const CHANGE = `
  select channel_id, epoch || '-' || n as position, kind, actor_id, operation_id from log_change where (channel_id, epoch, n) = ($1, $2, $3)`;

/** A superseded or rejected entry has these kinds. */
const HOLES: Readonly<Record<string, string>> = { s: 'superseded', x: 'rejected' };
const nameOf = (kind: string) => HOLES[kind] ?? KIND_NAMES[kind] ?? kind;

const BY = 'Postgres';

type Row = Readonly<Record<string, string | null>>;

async function rows(client: pg.Client, text: string, values: unknown[]): Promise<Row[]> {
  return (await client.query<Row>(text, values)).rows;
}

const placeOf = (position: string) => position.split('-').map(Number);

/** By a message's id, or by what stands at a position. */
export async function findInPostgres(
  client: pg.Client,
  asked: { messageId?: string; channelId?: string; position?: string },
): Promise<Subject | null> {
  const { messageId = null, channelId = null, position } = asked;
  const [epoch = null, n = null] = position ? placeOf(position) : [];
  const [message] = await rows(client, MESSAGE, [messageId, channelId, epoch, n]);
  const [found] = message ? [message] : channelId ? await rows(client, CHANGE, [channelId, epoch, n]) : [];
  if (!found) return null;
  return {
    channelId: found.channel_id ?? '',
    position: (found.position ?? '') as Subject['position'],
    title: found.id ? `message ${found.id}` : `entry "${nameOf(found.kind ?? '')}"`,
    messageId: found.id ?? null,
    senderId: found.sender_id ?? found.actor_id ?? null,
    operationId: found.client_msg_id ?? found.operation_id ?? null,
  };
}

const STORED = `
  select sent_at, persisted_at, edited_at, deleted_at, m, sender_id from messages where (channel_id, epoch, n) = ($1, $2, $3)`;

const CHANGES = `
  select epoch || '-' || n as position, kind, actor_id, at, by_epoch || '-' || by_n as by from log_change
  where channel_id = $1 and (target = $2 or operation_id = $3 or (epoch, n) = ($4, $5)) order by epoch, n`;

const CURSORS = `
  select user_id, delivered_at, read_at, (delivered_epoch, delivered_n) >= ($2::bigint, $3::bigint) as delivered,
    (read_epoch, read_n) >= ($2::bigint, $3::bigint) as read
  from channel_members where channel_id = $1 and (delivered_epoch, delivered_n) >= ($2, $3) or channel_id = $1 and (read_epoch, read_n) >= ($2, $3)`;

const NOTICES = `
  select user_id, split_part(outlet, ':', 1) as outlet, told_at, asked_until, (told_epoch, told_n) >= ($2::bigint, $3::bigint) as told
  from offline_notices where channel_id = $1 and ((told_epoch, told_n) >= ($2, $3) or (asked_epoch, asked_n) >= ($2, $3))`;

const LETTERS = `
  select reason, at, partition || '/' || epoch || '-' || k as name from dead_letter
  where channel_id = $1 and ((channel_epoch, channel_n) = ($2, $3) or client_msg_id = $4)`;

const HEAD = `
  select epoch || '-' || n as head, (removed_epoch, removed_n) >= ($2::bigint, $3::bigint) as removed from channel_head where channel_id = $1`;

/** What Postgres says of an entry. Cursors and notices know only when they moved last: that is the latest time, not the first. */
export async function postgresHappenings(client: pg.Client, subject: Subject): Promise<Happening[]> {
  const [epoch, n] = placeOf(subject.position);
  const at = [subject.channelId, epoch, n];
  const [stored] = await rows(client, STORED, at);
  const changes = await rows(client, CHANGES, [subject.channelId, subject.messageId, subject.operationId, epoch, n]);
  const letters = await rows(client, LETTERS, [...at, subject.operationId]);
  return [
    ...(stored ? storedHappenings(stored) : [is('it has no row in messages')]),
    ...changes.map((row) => {
      const what = `${nameOf(row.kind ?? '')} at ${row.position}${row.actor_id ? ` by ${row.actor_id}` : ''}`;
      return on(row.at, row.by ? `${what}: ${row.by} stands` : what);
    }),
    ...(await rows(client, CURSORS, at)).flatMap((row) => [
      ...(row.delivered ? [on(row.delivered_at, `${row.user_id} had it delivered, at the latest`)] : []),
      ...(row.read ? [on(row.read_at, `${row.user_id} had read it, at the latest`)] : []),
    ]),
    ...(await rows(client, NOTICES, at)).map((row) =>
      row.told
        ? on(row.told_at, `${row.user_id} was told while away, by ${row.outlet}, at the latest`)
        : is(`${row.outlet} is being asked to tell ${row.user_id}`),
    ),
    ...letters.map((row) =>
      on(row.at, `refused for ever: ${row.reason} (npm run dead-letters -- show log:${row.name})`),
    ),
    ...(await rows(client, HEAD, at)).flatMap((row) => [
      is(`the channel's head is ${row.head}`),
      ...(row.removed ? [is('retention has removed it')] : []),
    ]),
  ];
}

function storedHappenings(row: Row): Happening[] {
  return [
    on(row.sent_at, `accepted: message ${row.m} of its channel, by ${row.sender_id}`, 'log store'),
    ...(row.persisted_at ? [on(row.persisted_at, 'persisted')] : [is('it has its row in messages')]),
    ...(row.edited_at ? [is(`what it says is of ${new Date(Number(row.edited_at)).toISOString()}`)] : []),
    ...(row.deleted_at ? [is('its words are deleted')] : []),
  ];
}

const is = (what: string): Happening => ({ at: null, by: BY, what });

/** 0: the time is not known. */
function on(at: string | null | undefined, what: string, by = BY): Happening {
  return { at: Number(at) > 0 ? Number(at) : null, by, what };
}
