import { createMetrics, type Readiness } from '@parley/runtime';
import { expect, it } from 'vitest';
import { createHealth } from '../src/ops-health.ts';

interface State {
  readonly utilization: number;
  readonly residentBytes: number;
  readonly busy: number;
  readonly dependencies: Readiness['dependencies'];
}

const WELL: State = {
  utilization: 0.3,
  residentBytes: 1_000_000,
  busy: 9,
  dependencies: { postgres: { ok: true }, cache: { ok: true } },
};

async function asked(path: string, state: Partial<State> = {}): Promise<Readiness | undefined> {
  const { utilization, residentBytes, busy, dependencies } = { ...WELL, ...state };
  const metrics = createMetrics({ prefix: 'parley_' });
  metrics.gauge('thread_event_loop_utilization', 'x', { labels: ['thread'] }).set({ thread: '0' }, 0.1);
  metrics.gauge('thread_event_loop_utilization', 'x').set({ thread: '1' }, utilization);
  const resident = createMetrics({ prefix: 'process_' });
  resident.gauge('resident_memory_bytes', 'x').set(residentBytes);
  metrics
    .gauge('postgres_pool_connections', 'x', { labels: ['pool', 'state'] })
    .set({ pool: 'api', state: 'busy' }, busy);
  metrics.gauge('postgres_pool_max_connections', 'x', { labels: ['pool'] }).set({ pool: 'api' }, 10);
  const health = createHealth({
    snapshot: async () => [...(await metrics.snapshot()), ...(await resident.snapshot())],
    readiness: async () => ({ ok: true, dependencies }),
    limits: { cpu: 80, memory: 85, pool: 90 },
  });
  return health[path]?.();
}

it('[MET-11] a process is well while its busiest thread and its memory are below their limits', async () => {
  expect(await asked('/health/performance')).toMatchObject({ ok: true, dependencies: { cpu: { ok: true } } });
  const busy = await asked('/health/performance', { utilization: 0.81 });
  expect(busy).toMatchObject({ ok: false, dependencies: { cpu: { ok: false, detail: '81 % of at most 80 %' } } });
  const full = await asked('/health/performance', { residentBytes: Number.MAX_SAFE_INTEGER });
  expect(full).toMatchObject({ ok: false, dependencies: { memory: { ok: false } } });
});

it('[MET-11] the database is well while it is there and nine tenths of each pool are not in use', async () => {
  expect(await asked('/health/database')).toMatchObject({ ok: true, dependencies: { 'pool api': { ok: true } } });
  const away = await asked('/health/database', { dependencies: { postgres: { ok: false, detail: 'away' } } });
  expect(away).toMatchObject({ ok: false, dependencies: { postgres: { detail: 'away' } } });
  const short = await asked('/health/database', { busy: 10 });
  expect(short).toMatchObject({ ok: false, dependencies: { 'pool api': { ok: false } } });
});

it('[MET-11] the cache is well while it is there', async () => {
  expect(await asked('/health/cache')).toEqual({ ok: true, dependencies: { cache: { ok: true } } });
  expect(await asked('/health/cache', { dependencies: { cache: { ok: false } } })).toMatchObject({ ok: false });
  expect(await asked('/health/cache', { dependencies: {} })).toMatchObject({ ok: false });
});
