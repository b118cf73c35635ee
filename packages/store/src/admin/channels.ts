import type { AdminStore } from '@parley/domain';
import { pageOf } from '../archive/keyset.ts';
import type { Database } from '../database.ts';
import { type Statement, statement } from '../statement.ts';
import { type AdminChannelColumns, adminChannelOf } from './columns.ts';
import { columnsOf } from './owned-tables.ts';
import { listValues, newestFirst } from './users.ts';

const CHANNEL = statement('admin-channel');
const CHANNELS = statement('admin-channels');
const DELETE_CHANNEL = statement('delete-channel');
const DELETIONS = statement('deletions');
const DELETION_DONE = statement('deletion-done');

/** Rows that one statement removes: it must end long before the statement's time is over. */
const ROWS_AT_ONCE = 1_000;
/** Whose rows lead to files: who removes the files finds them by rows that no channel has any more, and removes both. */
const LEFT_TO_CLEAN_UP: ReadonlySet<string> = new Set(['attachments']);

/** Channels, as administrators see and end them. */
export function adminChannels(
  database: Database,
): Pick<AdminStore, 'channel' | 'channels' | 'deleteChannel' | 'deletions' | 'removeRows'> {
  return {
    channel: async (channelId) => {
      const [row] = await database.query<AdminChannelColumns>(CHANNEL, [channelId]);
      return row ? adminChannelOf(row) : null;
    },
    channels: async ({ text, cursor, limit }) => {
      const rows = await database.query<AdminChannelColumns>(CHANNELS, [...listValues(text, cursor), limit + 1]);
      return pageOf(rows, limit, { item: adminChannelOf, keyset: newestFirst });
    },
    deleteChannel: async (channelId) => {
      const [row] = await database.query<{ known: boolean }>(DELETE_CHANNEL, [channelId]);
      return row?.known ?? false;
    },
    deletions: async () => (await database.query<{ id: string }>(DELETIONS)).map(({ id }) => id),
    removeRows: (channelId) => removeRows(database, channelId),
  };
}

/** Some rows of each table that says which channel its rows are of; those with a foreign key went with the channel. */
async function removeRows(database: Database, channelId: string): Promise<boolean> {
  let done = true;
  for (const [table, columns] of await columnsOf(database)) {
    if (!columns.has('channel_id') || LEFT_TO_CLEAN_UP.has(table)) continue;
    const removed = await database.query(removal(table), [channelId, ROWS_AT_ONCE]);
    if (removed.length >= ROWS_AT_ONCE) done = false;
  }
  if (done) await database.query(DELETION_DONE, [channelId]);
  return done;
}

/** The name is one of our own tables, as the database spells it. */
function removal(table: string): Statement {
  const text = `delete from "${table}" where ctid = any(array(select ctid from "${table}" where channel_id = $1 limit $2)) returning 1`;
  return { name: `remove-${table}`, text };
}
