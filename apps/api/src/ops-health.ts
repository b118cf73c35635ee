import { MetricReading, type MetricSnapshot, memoryLimitBytes, type Readiness } from '@parley/runtime';
import { poolsOf } from './ops-views.ts';

interface HealthOptions {
  readonly snapshot: () => Promise<MetricSnapshot>;
  /** How the process stands with what it depends on. */
  readonly readiness: () => Promise<Readiness>;
  /** Percent of a thread's time, of the memory that there is, and of the connections of a pool. */
  readonly limits: { readonly cpu: number; readonly memory: number; readonly pool: number };
}

type Parts = Readiness['dependencies'];

/** Whether a part of the process is well, by path: for people and dashboards, not for load balancers. */
export function createHealth({ snapshot, readiness, limits }: HealthOptions): Record<string, () => Promise<Readiness>> {
  const reading = async () => new MetricReading(await snapshot());
  return {
    '/health/performance': async () => judged(performanceOf(await reading(), limits)),
    '/health/database': async () => {
      const [{ dependencies }, metrics] = await Promise.all([readiness(), reading()]);
      return judged({ ...only(dependencies, 'postgres'), ...poolParts(metrics, limits.pool) });
    },
    '/health/cache': async () => judged(only((await readiness()).dependencies, 'cache')),
  };
}

function performanceOf(metrics: MetricReading, limits: HealthOptions['limits']): Parts {
  const busiest = Math.max(0, ...Object.values(metrics.by('parley_thread_event_loop_utilization', 'thread')));
  const memory = metrics.sum('process_resident_memory_bytes') / memoryLimitBytes();
  return { cpu: share(busiest, limits.cpu), memory: share(memory, limits.memory) };
}

function share(used: number, limitPercent: number): Parts[string] {
  const percent = Math.round(used * 100);
  return { ok: percent <= limitPercent, detail: `${percent} % of at most ${limitPercent} %` };
}

function poolParts(metrics: MetricReading, limitPercent: number): Parts {
  const parts = poolsOf(metrics).map(({ pool, busy, max, waiting }) => {
    const detail = `${busy} of ${max} in use, ${waiting} statements wait`;
    return [`pool ${pool}`, { ok: busy * 100 <= max * limitPercent, detail }] as const;
  });
  return Object.fromEntries(parts);
}

/** A dependency of which no thread says anything is away. */
function only(dependencies: Parts, name: string): Parts {
  return { [name]: dependencies[name] ?? { ok: false, detail: 'no thread serves' } };
}

function judged(dependencies: Parts): Readiness {
  return { ok: Object.values(dependencies).every(({ ok }) => ok), dependencies };
}
