import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { type PrometheusServer, startPrometheus } from '../src/servers/prometheus-server.ts';
import { needs } from '../src/vitest.ts';
import { gather, talk, times } from './crowd.ts';

const FILES = fileURLToPath(new URL('../../../deploy/helm/parley/files', import.meta.url));
/** Scrapes are a second apart, and the machine may be busy. */
const SEEN_MS = 60_000;
const WHERE = { namespace: 'chat', release: 'parley' };

const prometheus = needs('prometheus');

prometheus.describe('what the autoscaling looks at, on a real cluster', () => {
  let cluster: Cluster;
  let server: PrometheusServer;
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-scaling-'));
    const rules = join(folder, 'scaling.yaml');
    await writeFile(rules, (await readFile(`${FILES}/scaling.yaml`, 'utf8')).replace('interval: 15s', 'interval: 1s'));
    cluster = await startCluster({
      apis: 1,
      workers: 1,
      migrate,
      env: { THREADS: '2', SEND_RATE_PER_MINUTE: '1000000', SEND_BURST: '1000000' },
    });
    const targets = [
      ...cluster.apis.map(({ opsPort: port }) => ({ job: 'parley-api', port, labels: { ...WHERE, pod: 'api-0' } })),
      ...cluster.workers.map(({ opsPort: port }) => ({ job: 'parley-worker', port, labels: { ...WHERE, pod: 'w-0' } })),
    ];
    server = await startPrometheus({ program: prometheus.path, targets, rules: [rules] });
  }, 120_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const seen = { timeout: SEEN_MS, interval: 500 };
  const numberOf = async (expression: string) => (await server.query(expression))[0]?.value;

  /** What prometheus-adapter asks for a series, with its placeholders filled in. */
  async function adapterQuery(series: string, by: string): Promise<string> {
    const text = await readFile(`${FILES}/adapter.yaml`, 'utf8');
    const rule = text.split('- seriesQuery: ').find((one) => one.startsWith(`${series}{`)) ?? '';
    const [, query = ''] = rule.match(/metricsQuery: (.*)/) ?? [];
    const labels = Object.entries(WHERE).map(([name, value]) => `${name}="${value}"`);
    return query
      .replace('<<.Series>>', series)
      .replace('<<.LabelMatchers>>', labels.join(','))
      .replace('<<.GroupBy>>', by);
  }

  prometheus.test(
    '[DEPLOY-47] the adapter finds the sockets and the busy share of each api, and the two numbers of the workers',
    async () => {
      // What was written before the first look is no rise.
      await expect.poll(() => numberOf('count(parley_drain_commit_seconds_sum)'), seen).toBe(1);
      await using crowd = await gather(cluster, { users: 9, channels: 3, perChannel: 3 });
      await talk(crowd, times(300));
      const sockets = await adapterQuery('parley_socket_connections', 'pod');
      await expect.poll(() => server.query(sockets), seen).toEqual([{ labels: { pod: 'api-0' }, value: 9 }]);
      const share = await numberOf(await adapterQuery('parley_thread_event_loop_utilization', 'pod'));
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(1);
      const busy = await adapterQuery('release:parley_drain_busy_workers', 'release');
      await expect.poll(() => numberOf(busy), seen).toBeGreaterThan(0);
      expect(await numberOf(busy)).toBeLessThan(2);
      const waits = await adapterQuery('release:parley_drain_worker_seconds', 'release');
      await expect.poll(() => numberOf(waits), seen).toBe(0);
    },
    150_000,
  );

  prometheus.test(
    '[DEPLOY-44] [DEPLOY-47] while Postgres is away there are no numbers, and afterwards there are again',
    async () => {
      await using crowd = await gather(cluster, { users: 3, channels: 1, perChannel: 3 });
      const waits = 'release:parley_drain_worker_seconds';
      await expect.poll(() => numberOf(waits), seen).toBe(0);
      await cluster.postgres.kill();
      expect(await server.query('release:parley_drain_away')).toEqual([]);
      await talk(crowd, times(60));
      await expect.poll(() => numberOf('max(parley_backlog_entries)'), seen).toBeGreaterThan(0);
      await expect.poll(() => server.query(waits), { timeout: 120_000, interval: 500 }).toEqual([]);
      expect(await server.query('release:parley_drain_busy_workers')).toEqual([]);
      await cluster.postgres.restart();
      await expect.poll(() => numberOf(waits), { timeout: 150_000, interval: 500 }).toBe(0);
    },
    360_000,
  );
});
