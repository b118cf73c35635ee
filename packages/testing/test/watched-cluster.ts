import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@parley/store';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { type PrometheusServer, startPrometheus } from '../src/index.ts';
import { gather } from './crowd.ts';

/** A cluster, and a real Prometheus that reads all of it and knows our rules. */
export interface WatchedCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly prometheus: PrometheusServer;
}

/** Two apis and a worker, each of which is scraped every second. */
export async function startWatched(rules: readonly string[]): Promise<WatchedCluster> {
  await using started = new AsyncDisposableStack();
  const cluster = started.use(await startCluster({ apis: 2, workers: 1, migrate }));
  const targets = [
    ...cluster.apis.map(({ opsPort: port }) => ({ job: 'parley-api', port })),
    ...cluster.workers.map(({ opsPort: port }) => ({ job: 'parley-worker', port })),
  ];
  const prometheus = started.use(await startPrometheus({ targets, rules }));
  const owned = started.move();
  return {
    cluster,
    prometheus,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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
