import { migrate } from '@parley/store';
import { type Cluster, type RedisServer, startCluster, startRedis } from '@parley/testing';
import { type Front, openFront } from './front.ts';
import type { Protection } from './options.ts';

type Api = Cluster['apis'][number];
type Worker = Cluster['workers'][number];

/** A deployment that faults may be made in: two apis of two threads and two workers, each of which reaches the log store by a front. */
export interface ChaosStack extends AsyncDisposable {
  readonly cluster: Cluster;
  /** The log store's server of now: a fail-over makes it another one. */
  readonly log: RedisServer;
  /** The way of everybody but the second api. */
  readonly front: Front;
  /** The way of the second api. */
  readonly otherFront: Front;
  /** In their places: a new one takes the place, the ports and the way of the old one. */
  readonly apis: readonly [Api, Api];
  readonly workers: readonly [Worker, Worker];
  replaceApi(i: 0 | 1): Promise<Api>;
  replaceWorker(i: 0 | 1): Promise<Worker>;
  /** A replica of the log store that has caught up. Its way to the master may be cut off by the front. */
  startReplica(): Promise<{ server: RedisServer; way: Front }>;
  /** This server is the log store from now on, for everybody at once; the old one is killed. */
  promote(server: RedisServer): Promise<void>;
  /** What the processes have printed, those that are gone too. */
  printed(): string;
}

const UNPROTECTED: Record<Protection, { appendonly?: 'no'; env?: Record<string, string> }> = {
  aof: { appendonly: 'no' },
  append: { env: { UNSAFE_ACK_BEFORE_APPEND: 'true' } },
  commit: { env: { UNSAFE_TRIM_BEFORE_COMMIT: 'true' } },
};

export async function startStack(without: Protection | null): Promise<ChaosStack> {
  await using started = new AsyncDisposableStack();
  const off = without ? UNPROTECTED[without] : {};
  const cluster = started.use(
    await startCluster({
      apis: 0,
      workers: 0,
      migrate,
      env: { RATE_LIMIT_ENABLED: 'false', THREADS: '2', TEST_CONTROLS: 'true', ...off.env },
      ...(off.appendonly && { appendonly: off.appendonly }),
    }),
  );
  const [front, otherFront] = [
    started.use(await openFront(cluster.log.port)),
    started.use(await openFront(cluster.log.port)),
  ];
  // Before the fronts end: a drain needs its way.
  const processes = started.use(new AsyncDisposableStack());
  const by = (way: Front) => ({ REDIS_LOG_URL: `redis://127.0.0.1:${way.port}` });
  const ways = [by(front), by(otherFront)] as const;
  const apis: [Api, Api] = [
    await cluster.startApi(undefined, undefined, ways[0]),
    await cluster.startApi(undefined, undefined, ways[1]),
  ];
  const workers: [Worker, Worker] = [await cluster.startWorker(ways[0]), await cluster.startWorker(ways[0])];
  for (const app of [...apis, ...workers]) processes.use(app);
  let log = cluster.log;
  const gone: string[] = [];
  const owned = started.move();
  return {
    cluster,
    get log() {
      return log;
    },
    front,
    otherFront,
    apis,
    workers,
    replaceApi: async (i) => {
      const { port, opsPort, output } = apis[i];
      gone.push(output());
      cluster.apis.splice(cluster.apis.indexOf(apis[i]), 1);
      apis[i] = processes.use(await cluster.startApi(port, opsPort, ways[i]));
      return apis[i];
    },
    replaceWorker: async (i) => {
      gone.push(workers[i].output());
      workers[i] = processes.use(await cluster.startWorker(ways[0]));
      return workers[i];
    },
    startReplica: async () => {
      const server = owned.use(await startRedis({ appendonly: 'always' }));
      const way = owned.use(await openFront(log.port));
      return { server, way };
    },
    promote: async (server) => {
      const old = log;
      log = server;
      front.turnTo(server.port);
      otherFront.turnTo(server.port);
      await old.kill();
    },
    printed: () => [...gone, ...[...apis, ...workers].map((app) => app.output())].join(''),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
