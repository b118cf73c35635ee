import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { type AppProcess, startApp } from '../src/app-process.ts';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { freePort, type PrometheusServer, startPrometheus } from '../src/index.ts';
import { gather } from './crowd.ts';

/** A cluster, and a real Prometheus that reads all of it and knows our rules. */
export interface WatchedCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly prometheus: PrometheusServer;
  readonly opsPorts: readonly number[];
}

/** Two apis and a worker, each of which is scraped every second. */
export async function startWatched(
  rules: readonly string[],
  env: Record<string, string> = {},
): Promise<WatchedCluster> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await startCluster({ apis: 2, workers: 0, migrate, env }));
  const workerPort = await freePort();
  started.use(await startScrapedWorker(cluster, workerPort));
  const apiPorts = cluster.apis.map(({ opsPort }) => opsPort);
  const targets = [
    ...apiPorts.map((port) => ({ job: 'parley-api', port })),
    { job: 'parley-worker', port: workerPort },
  ];
  const prometheus = started.use(await startPrometheus({ targets, rules }));
  const owned = started.move();
  return {
    cluster,
    prometheus,
    opsPorts: [...apiPorts, workerPort],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A worker that has an ops port. */
export function startScrapedWorker(cluster: Cluster, opsPort: number): Promise<AppProcess> {
  return startApp({
    name: 'worker',
    entry: 'apps/worker/src/main.ts',
    env: { ...cluster.env, OPS_PORT: String(opsPort) },
    ready: /^working on/m,
  });
}

/** People talk at their ease until it is over; whoever is refused for a while goes on afterwards. */
export async function chatter(cluster: Cluster, more: () => boolean): Promise<void> {
  await using crowd = await gather(cluster, { users: 12, channels: 6, perChannel: 6 });
  await Promise.all(
    crowd.channels.flatMap(({ id, members }) =>
      members.map(async (user) => {
        for (let i = 0; more(); i++) {
          await user.send(id, `from ${user.name}: ${i}`);
          if (i % 5 === 0) await user.client.channel.list.query({}).catch(() => undefined);
          await sleep(2_000 + Math.random() * 4_000);
        }
      }),
    ),
  );
}
