import { hostname } from 'node:os';
import {
  cachedArchive,
  cachedDirectory,
  cachesOff,
  close,
  connect,
  createConnection,
  createKeys,
  createSilence,
  Epochs,
  HeaderLoad,
  LogClock,
  LogMemory,
  LogStore,
  ReadThrough,
  RedisBroker,
  RedisChannelViews,
  RedisMessageLog,
  RedisTickets,
  ReplicaWait,
} from '@parley/cache';
import { createDoorbell, createThumbnails, queuePrefix } from '@parley/queue';
import { type Log, type Metrics, type Service, systemClock } from '@parley/runtime';
import { openStore } from '@parley/store';
import { LiveSessions } from './auth/live-sessions.ts';
import { Standings } from './auth/standings.ts';
import { createEphemeralParts } from './ephemeral/ephemeral-parts.ts';
import { createFileParts } from './files/file-parts.ts';
import { createStoreBreaker, guardPort } from './guard-port.ts';
import { EverybodySubscription } from './hub/everybody-subscription.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { RecentHistories } from './hub/recent-histories.ts';
import { openLimits } from './limits.ts';
import { measureLog, refuseWhenFull } from './log-layers.ts';
import type { ApiSettings } from './settings.ts';
import { watchStore } from './store-watch.ts';
import { createTraceDesk } from './trace/trace-desk.ts';
import { acknowledgeFirst } from './unsafe-log.ts';

export interface ComposeOptions {
  readonly settings: ApiSettings;
  readonly listen: { readonly port: number; readonly host: string; readonly reusePort: boolean };
  /** How many threads share the process's limits. */
  readonly threads: number;
  /** What the threads count together, and which of them this one is; by default it is the only one. */
  readonly shared?: { readonly connections: SharedArrayBuffer; readonly slot: number };
  readonly log: Log;
  readonly metrics: Metrics;
}

export type Stores = ReturnType<typeof openStores>;

/** The stores, what carries publications, and in which order they start. */
export function openStores({ settings, threads, listen, shared, log, metrics }: ComposeOptions) {
  const announce: Hub['announce'] = (event) => hub.announce(event);
  const watch = { log: watchStore('log', announce, metrics), cache: watchStore('cache', announce, metrics) };
  const store = openStore(settings, { name: 'parley-api', log, metrics });
  const breaker = createStoreBreaker('postgres', watchStore('postgres', announce, metrics).onBreaker);
  const postgres = guardPort(store.archive, breaker);
  const push = guardPort(store.push, breaker);
  const people = guardPort(store.directory, breaker);
  const standings = new Standings({ directory: people, log, clock: systemClock });
  const live = new LiveSessions({ standings, log });
  const { REDIS_LOG_URL: logUrl, KEY_PREFIX } = settings;
  const { redis, services: connections } = openConnections(settings, { log, metrics });
  watch.log.follow(redis.log);
  watch.cache.follow(redis.cache);
  const keys = createKeys(KEY_PREFIX);
  const logStore = new LogStore({ redis: redis.log, onBreaker: watch.log.onBreaker });
  const server = { url: logUrl, prefix: queuePrefix(KEY_PREFIX) };
  const doorbell = createDoorbell({ server, lanes: settings.LANES, log, metrics });
  const thumbnails = createThumbnails({ server, log });
  const files = createFileParts({ settings, attachments: guardPort(store.attachments, breaker), thumbnails, log });
  const backlogMaxEntries = settings.BACKLOG_MAX_ENTRIES;
  const epochs = new Epochs({ store: logStore, ledger: store.ledger, keys, backlogMaxEntries, log, metrics });
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source: store.headers, doorbell });
  const views = new RedisChannelViews({ store: logStore, epochs, keys });
  const copies = new ReadThrough({ redis: redis.cache, keys, off: cachesOff(settings), metrics });
  const archive = cachedArchive(postgres, { copies, views });
  const directory = cachedDirectory(people, { copies, profiles: archive });
  const replicas = new ReplicaWait(logStore, settings.LOG_REPLICAS);
  const memory = new LogMemory({ store: logStore, log });
  const logClock = new LogClock({ store: logStore, log });
  const redisLog = new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas });
  const desk = createTraceDesk({
    node: `${hostname()}:${listen.port}/${shared?.slot ?? 0}`,
    replyPrefix: `${KEY_PREFIX}:trace:`,
    publish: (topic, text) => logStore.write((connection) => connection.publish(topic, text)),
    log,
  });
  const truthful = desk.onLog(measureLog(refuseWhenFull(redisLog, memory), metrics));
  const messageLog = settings.UNSAFE_ACK_BEFORE_APPEND ? acknowledgeFirst(truthful, views) : truthful;
  const limits = openLimits({
    settings,
    limiter: { redis: redis.cache, keys, threads, onBreaker: watch.cache.onBreaker },
    store: logStore,
    keys,
    log,
    metrics,
  });
  const tickets = new RedisTickets({ redis: redis.cache, keys });
  const histories = new RecentHistories(archive, systemClock);
  const hub: Hub = createHub({
    views,
    histories,
    log: messageLog,
    clock: systemClock,
    logger: log,
    metrics,
    sessions: live,
    coalesce: settings.COALESCE_ENABLED,
    secondsSince: (at) => logClock.secondsSince(at),
    // A cache store that is away forgets by itself.
    onErased: (userId) => void ephemeral.presences.forget(userId).catch(() => undefined),
  });
  const broker = new RedisBroker({
    store: logStore,
    subscriber: redis.subscriber,
    keys,
    events: desk.onEvents(hub),
    log,
  });
  hub.connect(broker);
  const everybody = new EverybodySubscription({ broker, clock: systemClock, log, onHeard: () => live.suspect() });
  const silence = createSilence({ store: logStore, keys, log: messageLog });
  // Heads that were compared before came from the store that was lost.
  redis.log.on('ready', () => void hub.compare());
  const ephemeral = createEphemeralParts({ settings, redis: redis.cache, keys, hub, views, log, metrics });
  const carried = [copies, memory, logClock, ...limits.services, doorbell, thumbnails, epochs, broker, hub];
  const signals = [everybody, live, ...ephemeral.services];
  const services: Service[] = [store, files.storage, ...connections, ...carried, ...signals];
  const { limiter } = limits;
  const accounts = { directory, push, standings, live, silence };
  const carriers = { messageLog, limiter, tickets, hub, broker, doorbell, ephemeral, files };
  return { store, archive, copies, redis, epochs, views, histories, ...accounts, ...carriers, services };
}

/** A connection for each use, and what starts and ends it. */
function openConnections(settings: ApiSettings, report: Pick<ComposeOptions, 'log' | 'metrics'>) {
  const { REDIS_LOG_URL: logUrl, REDIS_CACHE_URL: cacheUrl } = settings;
  const redis = {
    log: createConnection({ url: logUrl, kind: 'log', timeoutMs: settings.LOG_TIMEOUT_MS, ...report }),
    cache: createConnection({ url: cacheUrl, kind: 'cache', timeoutMs: settings.CACHE_TIMEOUT_MS, ...report }),
    subscriber: createConnection({ url: logUrl, kind: 'subscriber', ...report }),
  };
  const services: Service[] = Object.entries(redis).map(([name, connection]) => ({
    name: `redis ${name}`,
    run: () => connect(connection),
    stop: () => close(connection),
  }));
  return { redis, services };
}
