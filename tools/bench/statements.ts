import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const KEPT_WITHIN_MS = 30_000;

/** Counts what Postgres runs for one database, of every kind and from everybody, the questions asked here left out. */
export class StatementCount implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async of(databaseUrl: string): Promise<StatementCount> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('create extension if not exists pg_stat_statements');
    return new StatementCount(client);
  }

  /** Begins at nothing. */
  async reset(): Promise<void> {
    await this.#client.query('select pg_stat_statements_reset()');
  }

  /** Statements since the last reset. */
  async read(): Promise<number> {
    const { rows } = await this.#client.query<{ calls: string }>(
      `select coalesce(sum(calls), 0) as calls from pg_stat_statements
        where dbid = (select oid from pg_database where datname = current_database())
          and query not like '%pg_stat_statements%'`,
    );
    return Number(rows[0]?.calls);
  }

  /** Messages that are persisted. */
  async messages(): Promise<number> {
    // The column's name keeps this question out of the count.
    const { rows } = await this.#client.query<{ pg_stat_statements: string }>(
      'select count(*) as pg_stat_statements from messages',
    );
    return Number(rows[0]?.pg_stat_statements);
  }

  /** Resolves when so many messages are persisted; throws when they are not within 30 s. */
  async kept(messages: number): Promise<void> {
    for (const deadline = Date.now() + KEPT_WITHIN_MS; (await this.messages()) < messages; await sleep(50)) {
      if (Date.now() > deadline) throw new Error(`only ${await this.messages()} of ${messages} messages are persisted`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}
