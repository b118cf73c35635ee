import pg from 'pg';
import { until } from './sdk-user.ts';

const WAIT_MS = 60_000;

/** A lock on a table, as a migration or a careless operator takes it; disposing it lets go. */
export interface HeldTable extends AsyncDisposable {
  /** Resolves when so many statements wait for a lock. */
  waiting(count: number): Promise<void>;
}

/** `writes`: nobody may write to it. `all`: nor read it. */
export async function holdTable(databaseUrl: string, table: string, what: 'writes' | 'all'): Promise<HeldTable> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('begin');
  await client.query(
    `lock table ${pg.escapeIdentifier(table)} in ${what === 'all' ? 'access exclusive' : 'share'} mode`,
  );
  const count = async () => {
    const found = await client.query<{ count: string }>(
      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    );
    return Number(found.rows[0]?.count);
  };
  return {
    waiting: (wanted) => until(async () => (await count()) >= wanted, WAIT_MS),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** Runs one statement with its values on a connection of its own. */
export async function runSql<Row extends pg.QueryResultRow>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
