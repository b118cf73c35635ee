/**
 * `npm run verify`: holds a running stack's log against its Postgres. Prints one JSON line; exit code 0 when every promise holds, 1 when
 * one does not, 2 when a store could not be read. It only reads, and may run under load.
 */
import { compare } from './verify/compare.ts';
import { readLogSide } from './verify/log-side.ts';
import { readPostgresSide } from './verify/postgres-side.ts';

const { DATABASE_URL, REDIS_LOG_URL, KEY_PREFIX = 'parley' } = process.env;
if (!DATABASE_URL || !REDIS_LOG_URL) {
  console.error(
    'DATABASE_URL and REDIS_LOG_URL are not set, and no stack of `npm start` has left its own in .data/stack.env.',
  );
  process.exit(2);
}
try {
  const log = await readLogSide(REDIS_LOG_URL, KEY_PREFIX);
  const report = compare({ ...log, ...(await readPostgresSide(DATABASE_URL, log.answered)) });
  console.log(JSON.stringify(report));
  process.exitCode = report.ok ? 0 : 1;
} catch (error) {
  console.error(`the stack could not be read: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
