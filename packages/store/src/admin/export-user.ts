import type { ExportLine } from '@parley/domain';
import type { Database } from '../database.ts';
import { type Statement, statement } from '../statement.ts';
import { presentColumns, rowsOf } from './owned-tables.ts';

const PROFILE = statement('export-profile');
const MEMBERSHIPS = statement('export-memberships');
const CHANNELS = statement('export-channels');
const MESSAGES = statement('export-messages');

const CHANNELS_AT_ONCE = 500;
const MESSAGES_AT_ONCE = 500;

interface Row {
  readonly row: unknown;
}

/** Everything of a user, a page of rows at a time: his profile, what he is in, what he said, and what other tables have of him. */
export async function* exportUser(database: Database, userId: string): AsyncGenerator<ExportLine, void, undefined> {
  for (const { row } of await database.query<Row>(PROFILE, [userId])) yield { table: 'users', row };
  yield* memberships(database, userId);
  yield* messages(database, userId);
  for (const owned of await presentColumns(database)) {
    const { table, exported } = owned;
    if (!exported || table === 'messages' || table === 'channel_members') continue;
    for (const { row } of await database.query<Row>(legible(rowsOf(owned)), [userId])) yield { table, row };
  }
}

async function* memberships(database: Database, userId: string): AsyncGenerator<ExportLine, void, undefined> {
  type Membership = { readonly row: { readonly channel_id: string } };
  let rows: Membership[] = [];
  let after: string | null = null;
  do {
    rows = await database.query<Membership>(MEMBERSHIPS, [userId, after, CHANNELS_AT_ONCE]);
    for (const { row } of rows) yield { table: 'channel_members', row };
    after = rows.at(-1)?.row.channel_id ?? null;
  } while (rows.length === CHANNELS_AT_ONCE);
}

async function* messages(database: Database, userId: string): AsyncGenerator<ExportLine, void, undefined> {
  type Channel = { readonly id: string; readonly spoken: boolean };
  let channels: Channel[] = [];
  let after: string | null = null;
  do {
    channels = await database.query<Channel>(CHANNELS, [userId, after, CHANNELS_AT_ONCE]);
    for (const { id, spoken } of channels) if (spoken) yield* messagesIn(database, userId, id);
    after = channels.at(-1)?.id ?? null;
  } while (channels.length === CHANNELS_AT_ONCE);
}

async function* messagesIn(
  database: Database,
  userId: string,
  channelId: string,
): AsyncGenerator<ExportLine, void, undefined> {
  type Said = { readonly row: { readonly epoch: number; readonly n: number } };
  let rows: Said[] = [];
  let after = { epoch: 0, n: 0 };
  do {
    const values = [channelId, userId, after.epoch, after.n, MESSAGES_AT_ONCE];
    rows = await database.query<Said>(MESSAGES, values);
    for (const { row } of rows) yield { table: 'messages', row };
    after = rows.at(-1)?.row ?? after;
  } while (rows.length === MESSAGES_AT_ONCE);
}

/** Bytes (a dead letter's line) are text to whoever reads the export. */
function legible(rows: Statement): Statement {
  if (rows.name !== 'export-dead_letter-sender_id') return rows;
  const text = rows.text.replace(
    'to_jsonb(owned)',
    "to_jsonb(owned) || jsonb_build_object('line', encode(owned.line, 'escape'))",
  );
  return { ...rows, text };
}
