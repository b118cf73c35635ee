import {
  close,
  connect,
  createConnection,
  createErasureMemory,
  createEverybodyHints,
  createGraves,
  createKeys,
  createWindowPurge,
  Epochs,
  HeaderLoad,
  LogStore,
  ReadThrough,
  RedisDrainLog,
  RedisMessageLog,
  ReplicaWait,
} from '@parley/cache';
import { deleteChannel, eraseUser, removeDeleted, untilDrained } from '@parley/domain';
import { createDoorbell, createJobPurge, queuePrefix } from '@parley/queue';
import { Lifecycle, type Log, type Metrics, type Service, systemClock } from '@parley/runtime';
import { openStore } from '@parley/store';
import { createAdminPort } from './admin/admin-port.ts';
import { channelRoutes } from './admin/channel-routes.ts';
import { createChores, doChores } from './admin/chores.ts';
import { Gatekeeper } from './admin/gatekeeper.ts';
import { recordRoutes } from './admin/record-routes.ts';
import { userRoutes } from './admin/user-routes.ts';
import { operationIds } from './ids.ts';
import type { ApiSettings } from './settings.ts';

interface AdminOptions {
  readonly settings: ApiSettings;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What administrators ask for, put together and not started: the stores in the order of their start, and what can be done with them. */
export function composeErasing({ settings, log, metrics }: AdminOptions) {
  const {
    REDIS_LOG_URL: url,
    REDIS_CACHE_URL,
    CACHE_TIMEOUT_MS,
    LOG_TIMEOUT_MS: timeoutMs,
    KEY_PREFIX,
    BACKLOG_MAX_ENTRIES: backlogMaxEntries,
  } = settings;
  const postgres = openStore(settings, { name: 'parley-admin', log, metrics });
  const redis = createConnection({ url, kind: 'log', timeoutMs, log, metrics });
  const cache = createConnection({ url: REDIS_CACHE_URL, kind: 'cache', timeoutMs: CACHE_TIMEOUT_MS, log, metrics });
  const keys = createKeys(KEY_PREFIX);
  const copies = new ReadThrough({ redis: cache, keys });
  const logStore = new LogStore({ redis });
  const server = { url, prefix: queuePrefix(KEY_PREFIX) };
  const doorbell = createDoorbell({ server, lanes: settings.LANES, log, metrics });
  const jobs = createJobPurge({ server, log });
  const epochs = new Epochs({ store: logStore, ledger: postgres.ledger, keys, backlogMaxEntries, log });
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source: postgres.headers, doorbell });
  const replicas = new ReplicaWait(logStore, settings.LOG_REPLICAS);
  const messageLog = new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas });
  const at = { store: logStore, keys };
  const [hints, memory, graves] = [createEverybodyHints(at), createErasureMemory(at), createGraves(at)];
  const store = postgres.admin;
  const drainLog = new RedisDrainLog({ ...at, epochs });
  const drained = untilDrained({ drainLog, doorbell, clock: systemClock });
  const erase = eraseUser({
    store,
    log: messageLog,
    archive: postgres.archive,
    windows: createWindowPurge(at),
    jobs,
    memory,
    hints,
    copies,
    doorbell,
    ids: operationIds,
    clock: systemClock,
    drained,
  });
  const connections: Service[] = [
    { name: 'redis log', run: () => connect(redis), stop: () => close(redis) },
    { name: 'redis cache', run: () => connect(cache), stop: () => close(cache) },
  ];
  return {
    store,
    hints,
    deleteChannel: deleteChannel({ store, graves, hints }),
    doChores: doChores({ store, memory, erase, removeDeleted: removeDeleted({ store, graves, hints, drained }), log }),
    services: [postgres, ...connections, copies, doorbell, jobs, epochs] satisfies Service[],
  };
}

/** The admin API of a process: its own connections to the stores, its own port. Nothing connects and nothing listens before `run`. */
export function composeAdmin(
  options: AdminOptions,
  listen: { readonly token: string; readonly port: number; readonly host: string },
): Service {
  const { log } = options;
  const { services, store, hints, ...erasing } = composeErasing(options);
  const chores = createChores(erasing.doChores, log);
  const wakeChores = () => chores.wake();
  const routes = [
    ...userRoutes({ store, hints, wakeChores }),
    ...channelRoutes({ store, deleteChannel: erasing.deleteChannel, wakeChores }),
    ...recordRoutes({ store, hints }),
  ];
  const gatekeeper = new Gatekeeper({ token: listen.token, clock: systemClock });
  const lifecycle = new Lifecycle({ log });
  for (const service of [...services, chores]) lifecycle.supporting(service);
  lifecycle.userFacing(createAdminPort({ ...listen, gatekeeper, routes, store, log }));
  return { name: 'admin', run: () => lifecycle.run(), stop: () => lifecycle.drain() };
}
