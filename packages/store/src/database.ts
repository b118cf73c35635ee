import { MikroORM } from '@mikro-orm/postgresql';
import { databaseFailure, isStalePlan } from './database-failure.ts';
import { type ConnectionOptions, ormConfig } from './orm-config.ts';
import { inTransaction, type Pool, poolOf } from './pool.ts';
import { type StatementMeasure, UNMEASURED } from './pool-metrics.ts';
import type { Statement } from './statement.ts';

/** How a pool is used at this moment. */
export interface PoolUse {
  readonly open: number;
  readonly idle: number;
  /** Statements that wait for a connection. */
  readonly waiting: number;
}

/**
 * A pool of connections to Postgres, opened when they are needed: it can be made while Postgres is down, and works when it is back.
 * What fails for a reason that passes is a `Failure` with `UNAVAILABLE`; its outcome is unknown.
 */
export class Database implements AsyncDisposable {
  readonly #orm: MikroORM;
  /** How often each statement was prepared anew. */
  readonly #generations = new Map<string, number>();
  readonly #slowMs: number;
  readonly #warn: ConnectionOptions['warn'];
  readonly #measure: StatementMeasure;
  #pool: Pool | undefined;

  constructor(options: ConnectionOptions, measure: StatementMeasure = UNMEASURED) {
    this.#orm = new MikroORM(ormConfig(options));
    this.#slowMs = options.slowMs ?? Number.POSITIVE_INFINITY;
    this.#warn = options.warn;
    this.#measure = measure;
  }

  /** Runs a prepared statement. */
  async query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const began = performance.now();
    let ok = false;
    try {
      const rows = (await this.#prepared(statement, values)) as Row[];
      ok = true;
      return rows;
    } catch (error) {
      throw databaseFailure(statement.name, error);
    } finally {
      const ms = performance.now() - began;
      this.#measure.took(ms / 1_000, ok);
      if (ms > this.#slowMs) {
        this.#measure.slow(statement.name);
        this.#warn(`the statement ${statement.name} took ${Math.round(ms)} ms`);
      }
    }
  }

  /** Runs work while a transaction that began with these statements is open; it is committed afterwards. */
  async during<T>(name: string, statements: readonly string[], work: () => Promise<T>): Promise<T> {
    try {
      return await inTransaction(await this.#connected(), async (client) => {
        for (const statement of statements) await client.query(statement);
        return work();
      });
    } catch (error) {
      throw databaseFailure(name, error);
    }
  }

  poolUse(): PoolUse {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.#pool ?? {};
    return { open: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** Waits for the statements under way, then closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    // MikroORM ends a pool only when its own queries have used it.
    await this.#pool?.end();
    await this.#orm.close();
  }

  /**
   * A migration that adds a column breaks what was prepared with `select *` before, on each connection and for as long as it lives.
   * Postgres says so before it does anything: then the statement is prepared anew, under another name.
   */
  async #prepared({ name, text }: Statement, values: readonly unknown[]): Promise<unknown[]> {
    const pool = await this.#connected();
    const generation = this.#generations.get(name) ?? 0;
    const run = async (n: number) => (await pool.query({ name: n === 0 ? name : `${name}/${n}`, text, values })).rows;
    try {
      return await run(generation);
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      this.#generations.set(name, generation + 1);
      return run(generation + 1);
    }
  }

  async #connected(): Promise<Pool> {
    this.#pool ??= await poolOf(this.#orm);
    return this.#pool;
  }
}
