import { comparePositions, formatPosition, ORIGIN, type Position } from '@parley/protocol';
import { type Kept, violationsOf } from '../../src/history.ts';
import type { ChatUser } from './chat-user.ts';
import { keys, type World } from './world.ts';

/** A message as Postgres has it. */
interface Row extends Kept {
  readonly body: string;
  readonly deleted: boolean;
  readonly reactions: string;
}

interface Cursor {
  readonly channelId: string;
  readonly userId: string;
  readonly readTo: Position;
}

interface Truth {
  readonly rows: readonly Row[];
  readonly cursors: readonly Cursor[];
}

const MESSAGES = `
  select m.channel_id as "channelId", m.sender_id as "senderId", m.client_msg_id as "clientMsgId", m.id as "messageId",
    m.epoch, m.n, m.body, m.deleted_at is not null as deleted,
    coalesce((select string_agg(r.emoji || r.user_id, ' ' order by r.emoji, r.user_id) from reactions r
      where r.channel_id = m.channel_id and r.message_id = m.id), '') as reactions
  from messages m order by m.epoch, m.n`;
const CURSORS = `
  select channel_id as "channelId", user_id as "userId", coalesce(read_epoch, 0) as epoch, coalesce(read_n, 0) as n
  from channel_members`;

type Placed<T> = Omit<T, 'position' | 'readTo'> & { readonly epoch: string; readonly n: string };
const positionOf = ({ epoch, n }: { epoch: string; n: string }) =>
  formatPosition({ epoch: Number(epoch), n: Number(n) });

async function truthOf({ servers: { sql } }: World): Promise<Truth> {
  const rows = (await sql.query<Placed<Row>>(MESSAGES)).rows.map((row) => ({ ...row, position: positionOf(row) }));
  const cursors = (await sql.query<Placed<Cursor>>(CURSORS)).rows.map((row) => ({ ...row, readTo: positionOf(row) }));
  return { rows, cursors };
}

/** What is not settled, not drained, or not yet shown as Postgres has it. */
export async function restlessIn(world: World): Promise<string[]> {
  const waiting = await world.master.store.read((redis) =>
    Promise.all([...world.ground.partitions()].map((partition) => redis.xlen(`${keys.stems[partition]}log`))),
  );
  const left = waiting.reduce((sum, length) => sum + length, 0);
  if (left > 0) return [`${left} entries in the log`];
  const open: string[] = [];
  for (const user of world.users) {
    const entries = (await user.storage.load()).filter((entry) => entry.refusal === null);
    if (entries.length > 0) open.push(`${user.actor.name} has ${entries.length} operations in the outbox`);
  }
  if (open.length > 0) return open;
  const truth = await truthOf(world);
  return world.users.flatMap((user) =>
    world.channels.flatMap((channelId) =>
      differencesOf(user, channelId, truth).map((what) => `${user.actor.name}: ${what}`),
    ),
  );
}

/** What a user sees of a channel that is not what Postgres has. */
function differencesOf(user: ChatUser, channelId: string, { rows, cursors }: Truth): string[] {
  const { state, messages } = user.look(channelId).store.getSnapshot();
  if (state !== 'ready') return [`the channel is ${state}`];
  const kept = rows.filter((row) => row.channelId === channelId);
  const is = kept.map(
    (row) =>
      `${row.messageId} ${row.position} ${row.deleted ? 'deleted' : row.body} ${row.deleted ? '' : countsOf(row)}`,
  );
  const shown = messages.map(
    (each) =>
      `${each.messageId} ${each.position} ${each.deletedAt === null ? each.body : 'deleted'} ${
        each.deletedAt === null
          ? each.reactions
              .map(({ emoji, count }) => `${emoji}${count}`)
              .sort()
              .join()
          : ''
      }`,
  );
  const wrong = [
    ...is.filter((line) => !shown.includes(line)).map((line) => `does not see ${line}`),
    ...shown.filter((line) => !is.includes(line)).map((line) => `sees ${line}`),
  ];
  const readTo = readBy(user, channelId, { rows: kept, cursors });
  const unread = kept.filter((row) => !row.deleted && comparePositions(row.position, readTo) > 0).length;
  const told = user.client.inbox.getSnapshot().channels.find(({ id }) => id === channelId)?.unread;
  if (told !== unread) wrong.push(`is told of ${told} unread, and there are ${unread} after ${readTo}`);
  return wrong;
}

/** Who sends has read up to there. */
function readBy({ userId }: ChatUser, channelId: string, { rows, cursors }: Truth): Position {
  const marked = cursors.find((cursor) => cursor.channelId === channelId && cursor.userId === userId)?.readTo ?? ORIGIN;
  const said = rows.findLast((row) => row.senderId === userId)?.position ?? ORIGIN;
  return comparePositions(said, marked) > 0 ? said : marked;
}

function countsOf({ reactions }: Row): string {
  const emojis = reactions
    .split(' ')
    .filter(Boolean)
    .map((one) => one.slice(0, -36));
  return [...Map.groupBy(emojis, (emoji) => emoji)]
    .map(([emoji, each]) => `${emoji}${each.length}`)
    .sort()
    .join();
}

/** Every promise about what was acknowledged and shown that is broken. */
export async function violationsAtRest(world: World): Promise<string[]> {
  const { rows } = await truthOf(world);
  const acked = world.users.flatMap((user) => [...user.acked.values()]);
  const found = violationsOf({ acked, observed: [], kept: rows }).map(({ violation, what }) => `${violation}: ${what}`);
  for (const user of world.users) {
    found.push(...user.wrong.map((what) => `${user.actor.name} ${what}`));
    for (const channelId of world.channels) {
      const said = user.sent.filter((each) => each.channelId === channelId).map((each) => each.clientMsgId);
      const own = rows.filter((row) => row.channelId === channelId && row.senderId === user.userId);
      const kept = own.map((row) => row.clientMsgId);
      if (said.join() !== kept.join())
        found.push(`own order: ${user.actor.name} said ${said.map(short)} and Postgres has ${kept.map(short)}`);
    }
  }
  return found;
}

const short = (id: string) => id.slice(-4);
