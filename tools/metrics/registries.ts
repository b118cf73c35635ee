import { createLog, createMetrics, type MetricDescription, measureProcess, superviseThreads } from '@parley/runtime';
import { composeThread } from '../../apps/api/src/compose.ts';
import { readApiSettings } from '../../apps/api/src/settings.ts';
import { composeWorker } from '../../apps/worker/src/compose.ts';
import { readWorkerSettings } from '../../apps/worker/src/settings.ts';

/** A metric, and which processes have it. */
export interface Described extends MetricDescription {
  readonly of: readonly ('api' | 'worker')[];
}

// Nothing connects to them: the apps are put together and not started.
const env = {
  DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
  REDIS_LOG_URL: 'redis://127.0.0.1:1',
  REDIS_CACHE_URL: 'redis://127.0.0.1:2',
  AUTH_SECRET: 'x'.repeat(32),
};

/** Every metric that the apps register, by name: taken from their registries, so that none can be forgotten. */
export function describeAll(): Described[] {
  const [api, worker] = [ofApi(), ofWorker()];
  const names = [...new Set([...api.keys(), ...worker.keys()])].toSorted();
  return names.map((name) => {
    const of = [...(api.has(name) ? ['api' as const] : []), ...(worker.has(name) ? ['worker' as const] : [])];
    const described = api.get(name) ?? worker.get(name);
    if (!described) throw new Error(`${name} is in no registry`);
    return { ...described, of };
  });
}

function ofApi(): Map<string, MetricDescription> {
  const metrics = createMetrics({ prefix: 'parley_', defaults: 'process' });
  const log = createLog({ name: 'none', level: 'silent' });
  measureProcess(metrics, new URL('../../apps/api/package.json', import.meta.url));
  superviseThreads({ entry: new URL('none:'), count: 1, workerData: {}, log, metrics, onGiveUp: () => undefined });
  const listen = { port: 0, host: '127.0.0.1', reusePort: false };
  composeThread({ settings: readApiSettings(env), listen, threads: 1, log, metrics });
  return byName(metrics.describe());
}

function ofWorker(): Map<string, MetricDescription> {
  const settings = readWorkerSettings({ ...env, ...OUTLETS });
  return byName(composeWorker(settings, createLog({ name: 'none', level: 'silent' })).metrics.describe());
}

/** What makes a worker tell the offline: only then it counts how that goes. */
const OUTLETS = { WEBHOOK_URLS: 'https://example.com/hook', WEBHOOK_SECRET: 'x'.repeat(32) };

function byName(all: readonly MetricDescription[]): Map<string, MetricDescription> {
  return new Map(all.map((described) => [described.name, described]));
}
