import type { MikroORM } from '@mikro-orm/postgresql';
import type { Statement } from './statement.ts';

/** The part of `pg` that we use. */
export interface Pool {
  query(query: Query): Promise<{ rows: unknown[] }>;
  connect(): Promise<Client>;
  /** Waits for the clients that are lent out. */
  end(): Promise<void>;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

type Query = Statement & { readonly values: readonly unknown[] };

interface Client {
  query(text: string): Promise<{ rows: unknown[] }>;
  /** True: the connection is of no more use. */
  release(destroy: boolean): void;
}

/** MikroORM's own pool. Asking for it connects nothing. */
export async function poolOf(orm: MikroORM): Promise<Pool> {
  return (await orm.em.getConnection().getNativeClient()) as Pool;
}

/**
 * Runs work while a transaction is open on a connection of its own. MikroORM's transactions never give a connection back whose
 * commit and rollback both failed: each Postgres that dies under one would cost the pool a place, and closing would wait for ever.
 */
export async function inTransaction<T>(pool: Pool, work: (client: Pick<Client, 'query'>) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let done = false;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    done = true;
    return result;
  } finally {
    // What is not committed ends with its connection.
    client.release(!done);
  }
}
