import { type Check, clockFault } from './finding.ts';
import type { PostgresFacts } from './postgres-facts.ts';

const OLDEST_VERSION = 150_000;

const when = (isSo: boolean, words: string) => (isSo ? words : null);

/** What Postgres must be like, whatever the settings say. */
export const POSTGRES_CHECKS: readonly Check<PostgresFacts>[] = [
  {
    name: 'postgres-version',
    fault: ({ version }) => when(version < OLDEST_VERSION, `Postgres is version ${Math.floor(version / 10_000)}`),
    cure: 'upgrade it to 15 or newer',
  },
  {
    name: 'postgres-read-only',
    fault: ({ recovering, readOnly }) =>
      recovering
        ? 'Postgres is a replica: it takes no writes'
        : when(readOnly, 'Postgres is read-only: nothing can be persisted'),
    cure: 'name the primary in DATABASE_URL; or end default_transaction_read_only, which a full disk may have set',
  },
  {
    name: 'postgres-durability',
    fault: ({ synchronousCommit, fsync }) =>
      fsync
        ? when(synchronousCommit === 'off', 'synchronous_commit is off: what was called persisted can be lost')
        : 'fsync is off: a crash of the machine can ruin the database',
    cure: 'ALTER SYSTEM RESET synchronous_commit, ALTER SYSTEM RESET fsync, then SELECT pg_reload_conf()',
  },
  {
    name: 'postgres-migrations',
    fault: ({ missing }) => {
      if (missing === null) return 'the database has no tables';
      return when(missing.length > 0, `the database is older than this version: it lacks ${missing.join(', ')}`);
    },
    cure: 'npm run migrate',
  },
  {
    name: 'postgres-newer',
    level: 'remark',
    fault: ({ unknown }) =>
      when(unknown.length > 0, `the database is newer than this version: it has ${unknown.join(', ')}`),
    cure: 'run the version that made them; this one works on the schema of the next release, and of no later one',
  },
  {
    name: 'postgres-trigrams',
    fault: ({ hasTrigrams, missing }) =>
      when(!hasTrigrams && missing !== null, 'the extension pg_trgm is gone: nothing can be searched'),
    cure: 'CREATE EXTENSION pg_trgm SCHEMA public, as the owner of the database; on Debian it is in postgresql-contrib',
  },
  {
    name: 'postgres-locale',
    fault: ({ knowsLetters, locale }) =>
      when(knowsLetters === false, `the locale ${locale} knows no letters beyond ASCII: other scripts are never found`),
    cure: "dump it, make the database anew with TEMPLATE template0 LOCALE 'C.UTF-8', restore it (docs/restore.md)",
  },
  {
    name: 'postgres-clock',
    fault: ({ clockOffsetMs }) => clockFault('Postgres', clockOffsetMs),
    cure: 'run an NTP client on both machines',
  },
  {
    name: 'dead-letters',
    level: 'remark',
    fault: ({ deadLetters }) => when(deadLetters > 0, `${deadLetters} entries of the log were refused by Postgres`),
    cure: 'npm run dead-letters',
  },
  {
    name: 'erasures',
    fault: ({ undoneErasures }) =>
      when(
        undoneErasures > 0,
        `${undoneErasures} erasures were done on another Postgres, and not on this restored one`,
      ),
    cure: 'npm run erasures, before users come in (docs/restore.md)',
  },
];
