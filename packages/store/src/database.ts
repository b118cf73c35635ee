import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { databaseFailure } from './database-failure.ts';
import { type ConnectionOptions, ormConfig } from './orm-config.ts';
import type { Statement } from './statement.ts';

/** The part of `pg`'s pool that we use. */
interface Pool {
  query(query: Statement & { values: readonly unknown[] }): Promise<{ rows: unknown[] }>;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

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
  #pool: Pool | undefined;

  constructor(options: ConnectionOptions) {
    this.#orm = new MikroORM(ormConfig(options));
  }

  /** Runs a prepared statement. */
  async query<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      this.#pool ??= (await this.#orm.em.getConnection().getNativeClient()) as Pool;
      const { rows } = await this.#pool.query({ ...statement, values });
      return rows as Row[];
    } catch (error) {
      throw databaseFailure(statement.name, error);
    }
  }

  /** Runs work with an entity manager of its own. */
  async entities<T>(name: string, work: (em: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await work(this.#orm.em.fork());
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
    await this.#orm.close();
  }
}
