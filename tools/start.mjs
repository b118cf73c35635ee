// Every npm script of the root comes through here: on the system's Node (18 or newer) it installs, then hands over to the
// Node 24 of node_modules. Plain JavaScript, node: imports only.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = '--conditions=@parley/source';
const commands = {
  start: [source, `${root}tools/dev.ts`],
  test: [source, `${root}node_modules/vitest/vitest.mjs`, 'run'],
  api: [source, `${root}apps/api/src/main.ts`],
  worker: [source, `${root}apps/worker/src/main.ts`],
  migrate: [source, `${root}apps/worker/src/migrate.ts`],
  config: [source, `${root}tools/config.ts`],
  alerts: [source, `${root}tools/alerts.ts`],
  dashboards: [source, `${root}tools/dashboards.ts`],
  'dashboard-page': [source, `${root}tools/dashboard-page.ts`],
  doctor: [source, `${root}tools/doctor.ts`],
  trace: [source, `${root}tools/trace.ts`],
  verify: [source, `${root}tools/verify.ts`],
  erasures: [source, `${root}apps/api/src/erasures.ts`],
  bench: [source, `${root}tools/bench.ts`],
  chaos: [source, `${root}tools/chaos.ts`],
  model: [source, `${root}tools/model.ts`],
  'dead-letters': [source, `${root}tools/dead-letters.ts`],
  'metrics-page': [source, `${root}tools/metrics-page.ts`],
  load: [source, `${root}tools/load.ts`],
};
// These make their own servers; the others belong to a stack: that of the environment, else the one that `npm start` runs.
const standalone = [
  'start',
  'test',
  'bench',
  'chaos',
  'model',
  'alerts',
  'dashboards',
  'dashboard-page',
  'metrics-page',
];

const [command = '', ...rest] = process.argv.slice(2);
const entry = commands[command];
if (!entry) {
  console.error(`unknown command ${command}; there are ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}

// npm passes SIGTERM only to its `sh`, which does not pass it on, and kill -9 of npm reaches nobody: watch both ancestors.
const parentPid = process.ppid;
const npmPid = process.env.npm_lifecycle_event ? parentOf(parentPid) : 0;

await install();
if (isOrphaned()) process.exit(143);
const node = `${root}node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
const child = spawn(node, [...entry, ...rest], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...(standalone.includes(command) ? {} : stackOf(process.env)),
    ...process.env,
    PATH: `${root}node_modules/.bin${delimiter}${process.env.PATH}`,
  },
});
child.on('error', (error) => {
  console.error(`${node} could not be run: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
process.on('SIGINT', () => {}); // The terminal gave the child the same Ctrl-C; the child decides when to end.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
const watch = setInterval(() => {
  if (!isOrphaned()) return;
  clearInterval(watch);
  child.kill('SIGTERM');
}, 250);

function isOrphaned() {
  return process.ppid !== parentPid || (npmPid !== 0 && parentOf(parentPid) !== npmPid);
}

function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop().split(' ')[1]);
  } catch {
    return 0; // No /proc on macOS and Windows: there only the direct parent is watched.
  }
}

/** What `npm start` wrote about its stack, unless the environment names one itself: two stacks are never mixed. */
function stackOf(env) {
  if (env.DATABASE_URL || env.REDIS_LOG_URL || env.REDIS_CACHE_URL) return {};
  const path = env.STACK_ENV ?? `${root}.data/stack.env`;
  if (!existsSync(path)) return {};
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => /^\w+=/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
