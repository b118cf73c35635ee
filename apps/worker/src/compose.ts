import {
  CacheStore,
  close,
  connect,
  createConnection,
  createKeys,
  createMemoryWatch,
  Epochs,
  LogClock,
  LogStore,
  ReadThrough,
  RedisDrainLog,
  RedisHeaderRegister,
  RedisPresences,
} from '@parley/cache';
import { type ChannelSets, type Copies, channelSets, type HeaderRegister } from '@parley/domain';
import { createDoorbell, createLaneConsumer, queuePrefix } from '@parley/queue';
import {
  createMetrics,
  createOpsServer,
  Lifecycle,
  type Log,
  type Metrics,
  measureProcess,
  type Service,
  systemClock,
} from '@parley/runtime';
import { openStore, type Store } from '@parley/store';
import { composeJobs } from './compose-jobs.ts';
import { createBacklogWatch } from './drain/backlog-watch.ts';
import { createCursorFlush } from './drain/cursor-flush.ts';
import { createDrainMetrics } from './drain/drain-metrics.ts';
import { createDrainer } from './drain/drainer.ts';
import { createLaneWatch } from './drain/lane-watch.ts';
import { createPersistLane } from './jobs/persist-lane.ts';
import type { WorkerSettings } from './settings.ts';
import { storesReadiness, untilStoresReady } from './stores-ready.ts';

/** A worker process, whole. */
export interface Worker {
  readonly metrics: Metrics;
  /** Waits for the stores as long as it takes, then works. True once it does; false when it was stopped before. */
  run(): Promise<boolean>;
  /** Ends what is under way in order. What is not finished is left in the log, for any worker. */
  stop(): Promise<void>;
}

/** Wires a worker: the only place that sees more than one of the stores. Nothing connects before `run`. */
export function composeWorker(settings: WorkerSettings, logger: Log): Worker {
  const metrics = createMetrics({ prefix: 'parley_', defaults: 'process' });
  const own = measureProcess(metrics, new URL('../package.json', import.meta.url));
  const stores = composeStores(settings, { logger, metrics });
  const waiting = new Lifecycle({ log: logger });
  const working = new Lifecycle({ log: logger });
  for (const service of stores.services) waiting.supporting(service);
  if (settings.OPS_PORT !== null) waiting.supporting(opsServer(settings, stores, { logger, metrics }));
  composeWork(working, settings, { ...stores, logger, metrics });
  const stopping = new AbortController();
  let starting: Promise<boolean> | undefined;

  async function start(): Promise<boolean> {
    await waiting.run();
    const parts = { log: stores.drainLog, store: stores.store.drain };
    const ready = await untilStoresReady(parts, { clock: systemClock, logger, signal: stopping.signal });
    if (ready) await working.run();
    return ready;
  }

  return {
    metrics,
    run() {
      starting ??= start();
      return starting;
    },
    async stop() {
      own.draining();
      stopping.abort();
      await Promise.allSettled([starting]);
      await working.drain().finally(() => waiting.drain());
    },
  };
}

interface Stores {
  readonly store: Store;
  readonly drainLog: RedisDrainLog;
  readonly logClock: LogClock;
  readonly presences: RedisPresences;
  readonly sets: ChannelSets;
  readonly copies: Pick<Copies, 'clear'>;
  readonly register: HeaderRegister;
  /** In the order of their start. */
  readonly services: readonly Service[];
}

function composeStores(settings: WorkerSettings, { logger, metrics }: { logger: Log; metrics: Metrics }): Stores {
  const { REDIS_LOG_URL, LOG_TIMEOUT_MS, KEY_PREFIX, BACKLOG_MAX_ENTRIES } = settings;
  const store = openStore(settings, { name: 'parley-worker', log: logger, metrics });
  const redis = createConnection({ url: REDIS_LOG_URL, kind: 'log', timeoutMs: LOG_TIMEOUT_MS, log: logger, metrics });
  const logStore = new LogStore({ redis });
  const keys = createKeys(KEY_PREFIX);
  const cache = createConnection({
    url: settings.REDIS_CACHE_URL,
    kind: 'cache',
    timeoutMs: settings.CACHE_TIMEOUT_MS,
    log: logger,
    metrics,
  });
  const { PRESENCE_TTL_MS: ttlMs, LAST_SEEN_TTL_MS: lastSeenTtlMs } = settings;
  const { ledger } = store;
  const backlogMaxEntries = BACKLOG_MAX_ENTRIES;
  const epochs = new Epochs({ store: logStore, ledger, keys, backlogMaxEntries, log: logger, metrics });
  const logClock = new LogClock({ store: logStore, log: logger });
  const memory = createMemoryWatch({ stores: { log: redis, cache }, metrics, log: logger });
  const connection: Service = { name: 'log store', run: () => connect(redis), stop: () => close(redis) };
  const copies = new ReadThrough({ redis: cache, keys });
  const beside: Service = { name: 'cache store', run: () => connect(cache), stop: () => close(cache) };
  return {
    store,
    drainLog: new RedisDrainLog({ store: logStore, epochs, keys }),
    logClock,
    presences: new RedisPresences({ store: new CacheStore(cache), keys, ttlMs, lastSeenTtlMs }),
    sets: channelSets(copies),
    copies,
    register: new RedisHeaderRegister({ store: logStore, keys }),
    services: [store, connection, beside, logClock, memory, copies, epochs],
  };
}

interface WorkParts extends Stores {
  readonly logger: Log;
  readonly metrics: Metrics;
}

function composeWork(lifecycle: Lifecycle, settings: WorkerSettings, parts: WorkParts): void {
  const { LANES, WORKER_CONCURRENCY, REDIS_LOG_URL, KEY_PREFIX, UNSAFE_TRIM_BEFORE_COMMIT } = settings;
  const { store, drainLog: log, logClock, presences, sets, copies, register, logger, metrics } = parts;
  const server = { url: REDIS_LOG_URL, prefix: queuePrefix(KEY_PREFIX) };
  const drainMetrics = createDrainMetrics(metrics, (at) => logClock.secondsSince(at));
  const doorbell = createDoorbell({ server, lanes: LANES, log: logger, metrics });
  const relay = composeJobs(lifecycle, { settings, server, register, copies, presences, logger, metrics });
  const drainer = createDrainer({
    lanes: LANES,
    log,
    store: store.drain,
    ledger: store.ledger,
    sets,
    clock: systemClock,
    metrics: drainMetrics,
    logger,
    ...(relay && { onCommitted: relay.committed }),
    unsafeTrimBeforeCommit: UNSAFE_TRIM_BEFORE_COMMIT,
  });
  const drain = createPersistLane({ drainer, doorbell });
  lifecycle.supporting(doorbell);
  lifecycle.supporting(drainer);
  lifecycle.supporting(createCursorFlush({ log, store: store.drain, logger }));
  lifecycle.supporting(createBacklogWatch({ log, clock: systemClock, metrics, oldest: drainMetrics.oldest, logger }));
  lifecycle.userFacing(createLaneWatch({ log, drainer, metrics: drainMetrics, logger }));
  lifecycle.userFacing(createLaneConsumer({ server, concurrency: WORKER_CONCURRENCY, log: logger, metrics, drain }));
}

function opsServer(settings: WorkerSettings, stores: Stores, { logger, metrics }: { logger: Log; metrics: Metrics }) {
  return createOpsServer({
    port: settings.OPS_PORT ?? 0,
    host: settings.OPS_HOST,
    log: logger,
    live: () => true,
    ready: () => storesReadiness({ log: stores.drainLog, store: stores.store.drain }),
    metrics: () => metrics.text(),
  });
}
