import { expect } from 'vitest';
import type { Cluster } from '../src/cluster.ts';
import { type PrometheusServer, type ScrapeTarget, startPrometheus } from '../src/servers/prometheus-server.ts';
import { documented } from './metrics-page.ts';
import { until } from './sdk-user.ts';

/** Scrapes are some seconds apart, some watches look every 15 s, and the machine may be busy. */
export const SEEN_MS = 60_000;
const SINCE = '15m';

/**
 * What moves each metric that a load run and stores that come and go leave still: a break that a test of `metrics-*.e2e.test.ts` makes
 * under this name, in real processes that a real Prometheus reads. Where a metric has series that move by themselves, it is said which one
 * the break moves. A metric of the page that stands neither here nor among the constants must be moved by the load run.
 */
export const BREAKS = {
  'a lock on messages, and a backlog that fills up': ['parley_limit_load_factor', 'parley_drain_takeovers_total'],
  'two workers at one lane': ['parley_drain_contended_total'],
  'a worker that dies between commit and settlement': ['parley_drain_late_settlements_total'],
  'a message that Postgres refuses': ['parley_drain_dead_letters_total'],
  'an entry of a later version': ['parley_drain_newer_entries_total'],
  'an entry that is gone from the log': ['parley_drain_faults_total'],
  'a limit of memory that is set anew': ['parley_redis_memory_max_bytes{store="cache"}'],
  'a log that has lost everything, and a Postgres that does not say what was there': ['parley_hub_fill_failures_total'],
  'a log that has lost what it had accepted': ['parley_hub_resyncs_total'],
  'a lock on notices, and more people away than are told at once': [
    'parley_job_waiting{kind="deliver-offline"}',
    'parley_job_oldest_waiting_seconds{kind="deliver-offline"}',
    'parley_postgres_pool_waiting{pool="jobs"}',
  ],
  'a webhook that nobody answers': ['parley_offline_asks_total', 'parley_job_delayed{kind="webhook"}'],
  'a webhook that one of two workers has no more': ['parley_job_dead_letters{kind="webhook"}'],
  'an unread count that somebody has spoilt': ['parley_unread_checked_total', 'parley_unread_differences_total'],
  'a channel that is quiet': ['parley_headers_looked_at_total'],
  'a client that does not read': ['parley_socket_buffered_bytes', 'parley_socket_buffered_max_bytes'],
  'a client that does not read for too long': ['parley_socket_slow_cuts_total'],
  'a thread that is stuck': ['parley_threads_silent'],
  'a thread that stays stuck': ['parley_thread_stalls_total'],
  'the orderly end of a process': ['parley_process_draining', 'parley_process_draining_seconds'],
  'a process that comes back with other settings': ['parley_postgres_pool_max_connections{pool="api"}'],
  'a process that is bound to one core': ['parley_process_cpu_limit_cores'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Break = keyof typeof BREAKS;

/** What nothing that a test may do can move, and why. */
export const CONSTANTS: Readonly<Record<string, string>> = {
  parley_build_info: 'always 1; what differs between builds are its labels',
  parley_process_memory_limit_bytes:
    'given by the machine or by a control group, which only its administrator may change',
};

/** The processes of a cluster, each under the port that it had first. `as`: the port under which the series of one that moved go on. */
export function targetsOf({ apis, workers }: Pick<Cluster, 'apis' | 'workers'>, as?: number): ScrapeTarget[] {
  const named = (port: number) => ({ instance: `127.0.0.1:${as ?? port}` });
  return [
    ...apis.map(({ opsPort: port }) => ({ job: 'api', port, labels: named(port) })),
    ...workers.map(({ opsPort: port }) => ({ job: 'worker', port, labels: named(port) })),
  ];
}

/** A Prometheus that has read every process of the cluster: what they tell from now on can be seen to move. */
export async function watch(
  cluster: Cluster,
  { program, everyMs = 1_000 }: { program: string; everyMs?: number },
): Promise<PrometheusServer> {
  await using onFailure = new AsyncDisposableStack();
  const targets = targetsOf(cluster);
  const server = onFailure.use(await startPrometheus({ program, everyMs, targets }));
  await until(async () => (await up(server)) === targets.length, SEEN_MS);
  onFailure.move();
  return server;
}

/** How many processes answered when they were read last. */
async function up(server: PrometheusServer): Promise<number> {
  return (await server.query('sum(up)'))[0]?.value ?? 0;
}

/** The name of a metric, of which perhaps only some series are meant. */
export function nameOf(series: string): string {
  return series.replace(/\{.*\}$/, '');
}

/** Whether one of its series changed; a counter that came with its first event has risen from 0. */
async function hasMoved(server: PrometheusServer, series: string, type: string): Promise<boolean> {
  const changed = `max(changes(${series}[${SINCE}])) > 0`;
  const [found] = await server.query(type === 'gauge' ? changed : `(${changed}) or (max(${series}) > 0)`);
  return found !== undefined;
}

/** Those of these series, or metrics of the page, which Prometheus has not seen move yet. */
export async function stillOnes(server: PrometheusServer, of: readonly string[]): Promise<string[]> {
  const types = new Map(documented().map(({ name, type }) => [name, type]));
  const looked = await Promise.all(
    of.map(async (series) => {
      const type = types.get(nameOf(series)) ?? '';
      const told = type === 'histogram' ? `${series}_count` : series;
      return (await hasMoved(server, told, type)) ? [] : [series];
    }),
  );
  return looked.flat();
}

/** Waits until Prometheus has seen move what the break moves. `again`: done before each look, where once may be too little. */
export async function moved(server: PrometheusServer, by: Break, again?: () => Promise<void>): Promise<void> {
  const look = async () => {
    await again?.();
    return stillOnes(server, BREAKS[by]);
  };
  const seen = { timeout: SEEN_MS, interval: again ? 2_000 : 500, message: `what is moved by ${by}` };
  await expect.poll(look, seen).toEqual([]);
}
