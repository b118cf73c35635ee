import type { Database } from '../database.ts';
import { type Statement, statement } from '../statement.ts';

/**
 * A column that says whose a row is, and what becomes of the row when that user is erased.
 * `delete`: it goes · `keep`: it holds nothing but ids and times, and something else stands on it · `elsewhere`: a step of its own, or a
 * statement of its own here, with the user as $1.
 */
export interface OwnedColumn {
  readonly table: string;
  readonly column: string;
  readonly erase: 'delete' | 'keep' | 'elsewhere' | { readonly text: string };
  /** Whether the row is in the user's export. */
  readonly exported: boolean;
}

/** As what a line names whoever said something, did something, or is a member and has his name in it. */
const ACTORS = ['senderId', 'actorId', 'userId'];
const namesActor = (field: string) =>
  `position(convert_to('"${field}":"' || $1::uuid::text || '"', 'UTF8') in line) > 0`;

/** Every column of every table that names a user. A table that is not there is no fault; a column that is not named here is one. */
export const OWNED_COLUMNS: readonly OwnedColumn[] = [
  { table: 'messages', column: 'sender_id', erase: 'elsewhere', exported: true },
  { table: 'channel_members', column: 'user_id', erase: 'elsewhere', exported: true },
  { table: 'blocks', column: 'user_id', erase: 'delete', exported: true },
  // Who has blocked somebody is the other one's to know.
  { table: 'blocks', column: 'blocked_id', erase: 'delete', exported: false },
  { table: 'revoked_sessions', column: 'user_id', erase: 'delete', exported: true },
  { table: 'user_standing', column: 'user_id', erase: 'keep', exported: false },
  { table: 'erasures', column: 'user_id', erase: 'keep', exported: false },
  // Positions must stay dense, and these rows hold no words.
  { table: 'log_change', column: 'actor_id', erase: 'keep', exported: false },
  { table: 'log_change', column: 'target', erase: 'keep', exported: false },
  {
    table: 'dead_letter',
    column: 'sender_id',
    // Also where nobody could read whose it is: a line says it in its text. What others said stays, though it mentions him.
    erase: {
      text: `update dead_letter set line = '' where line <> '' and (sender_id = $1 or ${ACTORS.map(namesActor).join(' or ')})`,
    },
    exported: true,
  },
  { table: 'reactions', column: 'user_id', erase: 'delete', exported: true },
  { table: 'mentions', column: 'user_id', erase: 'delete', exported: true },
  { table: 'invitations', column: 'user_id', erase: 'delete', exported: true },
  { table: 'invitations', column: 'invited_by', erase: 'keep', exported: false },
  { table: 'silences', column: 'user_id', erase: 'delete', exported: true },
  {
    table: 'attachments',
    column: 'uploader_id',
    // The clean-up takes what is marked out of the storage, and then the row.
    erase: {
      text: "update attachments set state = 'deleted', file_name = '' where uploader_id = $1 and state <> 'deleted'",
    },
    exported: true,
  },
  { table: 'push_subscriptions', column: 'user_id', erase: 'delete', exported: true },
  { table: 'offline_notices', column: 'user_id', erase: 'delete', exported: true },
];

const TABLE_COLUMNS = statement('table-columns');

/** The columns of each table of this deployment. */
export async function columnsOf(database: Database): Promise<Map<string, Set<string>>> {
  const rows = await database.query<{ table_name: string; column_name: string }>(TABLE_COLUMNS);
  const tables = Map.groupBy(rows, (row) => row.table_name);
  return new Map([...tables].map(([table, columns]) => [table, new Set(columns.map((row) => row.column_name))]));
}

/** Those of our columns whose table is there. Fails for a table that has no such column: then the list is wrong. */
export async function presentColumns(database: Database): Promise<OwnedColumn[]> {
  const tables = await columnsOf(database);
  return OWNED_COLUMNS.filter(({ table, column }) => {
    const columns = tables.get(table);
    if (columns && !columns.has(column)) throw new Error(`${table} has no column ${column}`);
    return columns !== undefined;
  });
}

/** Erases the rows of one column; null when that is done elsewhere, or not at all. Gives a row for each that it touched. */
export function erasureOf({ table, column, erase }: OwnedColumn): Statement | null {
  if (erase === 'keep' || erase === 'elsewhere') return null;
  const text = erase === 'delete' ? `delete from "${table}" where "${column}" = $1` : erase.text;
  return { name: `erase-${table}-${column}`, text: `${text} returning 1` };
}

/** The rows of one column, whole. */
export function rowsOf({ table, column }: OwnedColumn): Statement {
  return {
    name: `export-${table}-${column}`,
    text: `select to_jsonb(owned) as row from "${table}" owned where "${column}" = $1`,
  };
}
