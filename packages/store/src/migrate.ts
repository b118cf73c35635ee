import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from './orm-config.ts';

interface MigrateOptions {
  readonly schema?: string | null;
  /** Called for each migration that this call has applied. */
  readonly onApplied?: (name: string) => void;
}

/** Any number, the same for ever. */
const MIGRATION_LOCK = 7_046_881;
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the database to the schema of this build. Any number of processes may call it at once, any number of times: one at a time
 * works, the others find nothing to do.
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<void> {
  const schema = options.schema ?? null;
  await using orm = new MikroORM(
    ormConfig({ url, schema, applicationName: 'parley-migrate', poolMax: 2, statementTimeoutMs: 0, warn: () => {} }),
  );
  // The lock is held by one connection while the migrator works on another: it makes its own table outside any transaction.
  await orm.em.fork().transactional(async (lock) => {
    await lock.execute(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await lock.execute('select pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
    if (schema !== null) await orm.em.getConnection().execute('create schema if not exists ??', [schema]);
    for (const { name } of await orm.migrator.up()) options.onApplied?.(name);
  });
}
