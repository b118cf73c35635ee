import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const KEPT_WITHIN_MS = 60_000;

/** Where either side keeps its messages. */
type MessageTable = 'messages' | 'plain_messages';

/** Counts what Postgres runs for one database, of every kind and from everybody, the questions asked here left out. */
export class StatementCount implements AsyncDisposable {
  readonly #client: pg.Client;

  /** The process that answers the questions asked here: its work is on nobody's bill. */
  readonly pid: number;

  private constructor(client: pg.Client, pid: number) {
    this.#client = client;
    this.pid = pid;
  }

  static async of(databaseUrl: string): Promise<StatementCount> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('create extension if not exists pg_stat_statements');
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return new StatementCount(client, rows[0]?.pid ?? 0);
  }

  /** Begins at nothing. */
  async reset(): Promise<void> {
    await this.#client.query('select pg_stat_statements_reset()');
  }

  /** Statements since the last reset; only those that name something, where that is asked for. */
  async read(naming = ''): Promise<number> {
    const { rows } = await this.#client.query<{ calls: string }>(
      `select coalesce(sum(calls), 0) as calls from pg_stat_statements
        where dbid = (select oid from pg_database where datname = current_database())
          and query not like '%pg_stat_statements%' and query like '%' || $1 || '%'`,
      [naming],
    );
    return Number(rows[0]?.calls);
  }

  /** Messages that are persisted in this table. */
  async messages(table: MessageTable): Promise<number> {
    // The column's name keeps this question out of the count.
    const { rows } = await this.#client.query<{ pg_stat_statements: string }>(
      `select count(*) as pg_stat_statements from ${table}`,
    );
    return Number(rows[0]?.pg_stat_statements);
  }

  /** Resolves when so many messages are persisted; throws when they are not within a minute. */
  async kept(messages: number, table: MessageTable = 'messages'): Promise<void> {
    for (const deadline = Date.now() + KEPT_WITHIN_MS; (await this.messages(table)) < messages; await sleep(50)) {
      if (Date.now() > deadline)
        throw new Error(`only ${await this.messages(table)} of ${messages} messages are persisted`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
