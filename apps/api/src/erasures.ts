import { createLog, createMetrics, Lifecycle } from '@parley/runtime';
import { composeErasing } from './compose-admin.ts';
import { readApiSettings } from './settings.ts';

// `npm run erasures [-- USER_ID …]`: does every erasure that this Postgres does not have, and those of the users that are named. To be
// run after Postgres was restored, before users come in.

const settings = readApiSettings();
const log = createLog({ name: 'erasures', level: settings.LOG_LEVEL });
const { store, doChores, services } = composeErasing({ settings, log, metrics: createMetrics() });
const lifecycle = new Lifecycle({ log });
for (const service of services) lifecycle.supporting(service);
const ended = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ended.abort());

await lifecycle.run();
let exitCode = 0;
try {
  for (const userId of process.argv.slice(2)) {
    if (!(await store.beginErasure(userId))) throw new Error(`there is no user ${userId}`);
  }
  await doChores(ended.signal);
  process.stdout.write('nothing is left to erase\n');
} catch (error) {
  process.stderr.write(`not everything is erased: ${error instanceof Error ? error.message : String(error)}\n`);
  exitCode = 1;
} finally {
  await lifecycle.drain();
}
process.exit(exitCode);
