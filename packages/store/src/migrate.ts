import { MikroORM } from '@mikro-orm/postgresql';
import { ormConfig } from './orm-config.ts';
import { inTransaction, poolOf } from './pool.ts';

interface MigrateOptions {
  readonly schema?: string | null;
  /** Called for each migration that this call has applied. */
  readonly onApplied?: (name: string) => void;
}

/** The migrations of this build, in the order in which they are applied. */
export function migrationNames(): string[] {
  const { migrations } = ormConfig({
    url: 'postgres://nobody',
    schema: null,
    applicationName: 'parley',
    poolMax: 1,
    statementTimeoutMs: 0,
    warn: () => {},
  });
  return (migrations?.migrationsList ?? []).map((migration) => migration.name);
}

/** Any number, the same for ever. */
const MIGRATION_LOCK = 7_046_881;
const LOCK_TIMEOUT_MS = 60_000;

/**
 * Brings the database to the schema of this build. Any number of processes may call it at once, any number of times: one at a time
 * works, the others find nothing to do.
 */
export async function migrate(url: string, { schema = null, onApplied }: MigrateOptions = {}): Promise<void> {
  const config = { url, schema, applicationName: 'parley-migrate', poolMax: 2, statementTimeoutMs: 0, warn: () => {} };
  const orm = new MikroORM(ormConfig(config));
  // The lock is held by one connection while the migrator works on another: it makes its own table outside any transaction.
  await inTransaction(await poolOf(orm), async (lock) => {
    await lock.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await lock.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    if (schema !== null) await orm.em.getConnection().execute('create schema if not exists ??', [schema]);
    for (const { name } of await orm.migrator.up()) onApplied?.(name);
  });
  // Not after an error: MikroORM waits for a connection that died under a migration for ever, and the others close when idle.
  await orm.close();
}
