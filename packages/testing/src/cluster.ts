import { randomBytes } from 'node:crypto';
import { type AppProcess, startApp } from './app-process.ts';
import { freePort } from './servers/free-port.ts';
import { type PostgresServer, startPostgres } from './servers/postgres-server.ts';
import { type RedisServer, startRedis } from './servers/redis-server.ts';

/** A running api, with where it listens. */
export interface ApiProcess extends AppProcess {
  readonly port: number;
  readonly opsPort: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
}

/** A running worker, with where operators reach it. */
export interface WorkerProcess extends AppProcess {
  readonly opsPort: number;
}

/** A whole deployment on this machine: real servers, real processes, free ports. */
export interface Cluster extends AsyncDisposable {
  readonly log: RedisServer;
  readonly cache: RedisServer;
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly apis: ApiProcess[];
  readonly workers: WorkerProcess[];
  /** What its processes got as environment. */
  readonly env: Record<string, string>;
  /** Starts an api; the same port again, and the same ops port, takes the place of one that ended. `own`: what only this one gets. */
  startApi(port?: number, opsPort?: number, own?: Readonly<Record<string, string>>): Promise<ApiProcess>;
  startWorker(own?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
}

interface ClusterOptions {
  readonly apis: number;
  readonly workers: number;
  readonly env?: Record<string, string>;
  readonly appendonly?: 'always' | 'everysec' | 'no';
  /** Brings the schema up: given by the caller, so that this package does not depend on the store. */
  readonly migrate: (databaseUrl: string) => Promise<void>;
}

/** Starts a cluster of its own: two Redis servers, a Postgres, the apis and workers. Disposing it ends them all. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  await using onFailure = new AsyncDisposableStack();
  const postgres = onFailure.use(await startPostgres());
  const log = onFailure.use(await startRedis({ appendonly: options.appendonly ?? 'always', policy: 'noeviction' }));
  const cache = onFailure.use(await startRedis({ appendonly: 'no', policy: 'allkeys-lru' }));
  const databaseUrl = await postgres.createDatabase();
  await options.migrate(databaseUrl);
  const env: Record<string, string> = {
    DATABASE_URL: databaseUrl,
    REDIS_LOG_URL: log.url,
    REDIS_CACHE_URL: cache.url,
    AUTH_SECRET: randomBytes(32).toString('hex'),
    DEV_TOKENS: 'true',
    THREADS: '1',
    LOG_LEVEL: 'warn',
    ...options.env,
  };
  const apps = onFailure.use(new AsyncDisposableStack());
  const cluster: Cluster = {
    log,
    cache,
    postgres,
    databaseUrl,
    env,
    apis: [],
    workers: [],
    startApi: async (port, opsPort, own) => {
      const at = { port: port ?? (await freePort()), opsPort: opsPort ?? (await freePort()) };
      const api = apps.use(await startApi({ ...env, ...own }, at));
      cluster.apis.push(api);
      return api;
    },
    startWorker: async (own) => {
      const worker = apps.use(await startWorker({ ...env, ...own }));
      cluster.workers.push(worker);
      return worker;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  await Promise.all([
    ...Array.from({ length: options.apis }, () => cluster.startApi()),
    ...Array.from({ length: options.workers }, () => cluster.startWorker()),
  ]);
  const owned = onFailure.move();
  return cluster;
}

async function startApi(env: Record<string, string>, at: { port: number; opsPort: number }): Promise<ApiProcess> {
  const { port, opsPort } = at;
  const app = await startApp({
    name: `api ${port}`,
    entry: 'apps/api/src/main.ts',
    env: { ...env, PORT: String(port), OPS_PORT: String(opsPort) },
    ready: /^listening on/m,
  });
  return Object.assign(app, { port, opsPort, url: `http://127.0.0.1:${port}` });
}

async function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const opsPort = await freePort();
  const app = await startApp({
    name: `worker ${opsPort}`,
    entry: 'apps/worker/src/main.ts',
    env: { ...env, OPS_PORT: String(opsPort) },
    ready: /^working on/m,
  });
  return Object.assign(app, { opsPort });
}
