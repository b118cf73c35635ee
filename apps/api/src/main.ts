import {
  createLog,
  createMetrics,
  createOpsServer,
  Lifecycle,
  measureProcess,
  type Readiness,
  reservePort,
  SettingsError,
  superviseThreads,
  systemClock,
} from '@parley/runtime';
import { composeAdmin } from './compose-admin.ts';
import { readinessOf } from './dependencies.ts';
import { createHealth } from './ops-health.ts';
import { findOpsPort } from './ops-port.ts';
import { createViews } from './ops-views.ts';
import { type ApiSettings, readApiSettings } from './settings.ts';
import type { ThreadData } from './thread.ts';
import { createConnectionTable } from './user-connections.ts';

// The sources run as they are; a build has the same files as JavaScript.
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

const say = (line: string) => process.stdout.write(`${line}\n`);

async function start(settings: ApiSettings): Promise<void> {
  const { HOST: host, LOG_LEVEL: level } = settings;
  const log = createLog({ name: 'api', level });
  const metrics = createMetrics({ prefix: 'parley_', defaults: 'process' });
  const own = measureProcess(metrics, new URL('../package.json', import.meta.url));
  const { port, shareable } = await reservePort({ port: settings.PORT, host, setting: 'PORT' });
  const opsPort = await findOpsPort({ wanted: settings.OPS_PORT, publicPort: port, host });
  const threads = shareable ? settings.THREADS : 1;
  const listen = { port, host, reusePort: threads > 1 };
  const data: ThreadData = { settings, threads, listen, connections: createConnectionTable(threads) };
  let draining = false;
  const supervisor = superviseThreads({
    entry: THREAD,
    count: threads,
    workerData: { ...data },
    log,
    metrics,
    stallMs: settings.THREAD_STALL_MS,
    drainWithinMs: settings.DRAIN_WINDOW_MS + 15_000,
    // A drained thread listens no more: one after the other would only chase clients around.
    drainAtOnce: threads,
    onGiveUp: () => end(1),
  });
  const readiness = async () => readinessOf(await supervisor.command('standing', 2_000), draining);
  const ops = createOpsServer({
    port: opsPort,
    host,
    log,
    metrics: () => supervisor.metrics(),
    live: () => true,
    ready: readiness,
    ...(settings.ENABLE_PERFORMANCE_MONITORING && monitoring(settings, supervisor, readiness)),
    ...(settings.TEST_CONTROLS && { actions: testControls(supervisor) }),
  });
  const lifecycle = new Lifecycle({ log });
  lifecycle.supporting(ops);
  const adminPort = await findAdminPort(settings, port);
  if (settings.ADMIN_TOKEN !== null && adminPort !== null) {
    const at = { token: settings.ADMIN_TOKEN, port: adminPort, host: settings.ADMIN_HOST };
    lifecycle.supporting(composeAdmin({ settings, log, metrics }, at));
  }
  lifecycle.userFacing(supervisor, { withinMs: settings.DRAIN_WINDOW_MS + 20_000 });

  const end = (code: number) => {
    if (draining) return;
    draining = true;
    own.draining();
    systemClock
      .sleep(code === 0 ? settings.DRAIN_DELAY_MS : 0)
      .then(() => lifecycle.drain())
      .then(
        () => process.exit(code),
        () => process.exit(1),
      );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(0));
  // The parent is gone: nobody else would end this process.
  if (process.channel) process.on('disconnect', () => end(0));

  await lifecycle.run();
  if (settings.OPS_PORT === null && opsPort !== port + 1) say(`port ${port + 1} is taken: the ops port is ${opsPort}`);
  if (adminPort !== null) say(`the admin API is on http://${settings.ADMIN_HOST}:${adminPort}`);
  say(`listening on http://${host}:${port}`);
}

/** Null without a token: then there is no admin API. */
async function findAdminPort(settings: ApiSettings, publicPort: number): Promise<number | null> {
  if (settings.ADMIN_TOKEN === null) return null;
  const wanted = settings.ADMIN_PORT ?? (publicPort < 65_534 ? publicPort + 2 : 0);
  return (await reservePort({ port: wanted, host: settings.ADMIN_HOST, setting: 'ADMIN_PORT' })).port;
}

/** The metrics as JSON, and whether parts of the process are well. */
function monitoring(
  settings: ApiSettings,
  supervisor: ReturnType<typeof superviseThreads>,
  readiness: () => Promise<Readiness>,
) {
  const snapshot = () => supervisor.snapshot();
  const limits = {
    cpu: settings.ALERT_CPU_THRESHOLD,
    memory: settings.ALERT_MEMORY_THRESHOLD,
    pool: settings.ALERT_POOL_PERCENT,
  };
  return { views: createViews(snapshot), health: createHealth({ snapshot, readiness, limits }) };
}

/** What tests may do to a running process: end one of its threads, as a crash would. */
function testControls(supervisor: ReturnType<typeof superviseThreads>) {
  return {
    '/test/end-thread': async () => {
      const [thread] = supervisor.threads().filter(({ state }) => state === 'ready');
      return { ended: thread ? await supervisor.end(thread.id) : false };
    },
  };
}

try {
  await start(readApiSettings());
} catch (error) {
  // Settings and ports are the operator's to mend: the reason alone, without a stack.
  const own = error instanceof SettingsError || (error instanceof Error && /^port |is no address/.test(error.message));
  process.stderr.write(`${own ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
