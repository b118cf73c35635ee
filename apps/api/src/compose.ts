import { randomUUID } from 'node:crypto';
import {
  close,
  connect,
  createConnection,
  createKeys,
  createLimiter,
  Epochs,
  HeaderLoad,
  LogMemory,
  LogStore,
  RedisBroker,
  RedisChannelViews,
  RedisMessageLog,
  ReplicaWait,
} from '@parley/cache';
import { findChannel, listChannels, type UserHints } from '@parley/domain';
import { CHANNEL_LIST_DEFAULT } from '@parley/protocol';
import { createDoorbell, queuePrefix } from '@parley/queue';
import { Lifecycle, type Log, type Metrics, type Service, systemClock } from '@parley/runtime';
import { openStore } from '@parley/store';
import { createKnownUsers } from './auth/known-users.ts';
import { createVerifier } from './auth/verify-token.ts';
import { createCases } from './cases/cases.ts';
import type { Context } from './context.ts';
import { askDependencies, createPolicyCheck, type ThreadStanding } from './dependencies.ts';
import { openChannelFeed } from './feeds/channel-feed.ts';
import { openInboxFeed } from './feeds/inbox-feed.ts';
import { createStoreBreaker, guardPort } from './guard-port.ts';
import { createHub, type Hub } from './hub/hub.ts';
import { channelIds, operationIds } from './ids.ts';
import { measureLog, refuseWhenFull } from './log-layers.ts';
import { measureCases } from './measure-cases.ts';
import { openPublicPort } from './open-public-port.ts';
import type { ApiSettings } from './settings.ts';
import { watchStore } from './store-watch.ts';
import { acknowledgeFirst } from './unsafe-log.ts';
import { createConnectionTable, UserConnections } from './user-connections.ts';

// The only file that sees more than one adapter.

/** One thread of the api, put together and not started. */
export interface ApiThread {
  run(): Promise<void>;
  /** Sends everybody elsewhere, then lets go of the stores. */
  drain(): Promise<void>;
  standing(): Promise<ThreadStanding>;
}

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

type Stores = ReturnType<typeof openStores>;

/** Puts one thread together. Nothing connects and nothing listens before `run`. */
export function composeThread(options: ComposeOptions): ApiThread {
  const { settings, log, shared = { connections: createConnectionTable(1), slot: 0 } } = options;
  const stores = openStores(options);
  let serving = false;
  const lifecycle = new Lifecycle({ log });
  for (const service of stores.services) lifecycle.supporting(service);
  const sessions = {
    verify: createVerifier({
      secret: settings.AUTH_SECRET,
      jwksUrl: settings.AUTH_JWKS_URL,
      issuer: settings.AUTH_ISSUER,
      audience: settings.AUTH_AUDIENCE,
    }),
    meet: createKnownUsers({ archive: stores.archive, log }),
    connections: new UserConnections({
      max: settings.CONNECTIONS_PER_USER,
      table: shared.connections,
      slot: shared.slot,
    }),
    limiter: stores.limiter,
    graceMs: settings.TOKEN_GRACE_MS,
  };
  const port = openPublicPort({ ...options, sessions, answers: answersOf(options, stores), healthy: () => serving });
  lifecycle.userFacing(port, { withinMs: settings.DRAIN_WINDOW_MS + 10_000 });
  const standing = standingOf(options, stores);
  return {
    run: async () => {
      await lifecycle.run();
      serving = true;
    },
    drain: () => {
      serving = false;
      stores.hub.announce({ type: 'drain', at: Date.now(), reconnectAfterMs: settings.DRAIN_WINDOW_MS });
      return lifecycle.drain();
    },
    standing: async () => ({ serving, dependencies: await standing() }),
  };
}

/** The stores, what carries publications, and in which order they start. */
function openStores({ settings, threads, log, metrics }: ComposeOptions) {
  const announce: Hub['announce'] = (event) => hub.announce(event);
  const watch = { log: watchStore('log', announce), cache: watchStore('cache', announce) };
  const store = openStore(settings, { name: 'parley-api', log });
  const breaker = createStoreBreaker('postgres', watchStore('postgres', announce).onBreaker);
  const archive = guardPort(store.archive, breaker);
  const push = guardPort(store.push, breaker);
  const { REDIS_LOG_URL: logUrl, REDIS_CACHE_URL: cacheUrl, KEY_PREFIX } = settings;
  const redis = {
    log: createConnection({ url: logUrl, kind: 'log', timeoutMs: settings.LOG_TIMEOUT_MS, log }),
    cache: createConnection({ url: cacheUrl, kind: 'cache', timeoutMs: settings.CACHE_TIMEOUT_MS, log }),
    subscriber: createConnection({ url: logUrl, kind: 'subscriber', log }),
  };
  watch.log.follow(redis.log);
  watch.cache.follow(redis.cache);
  const keys = createKeys(KEY_PREFIX);
  const logStore = new LogStore({ redis: redis.log, onBreaker: watch.log.onBreaker });
  const server = { url: logUrl, prefix: queuePrefix(KEY_PREFIX) };
  const doorbell = createDoorbell({ server, lanes: settings.LANES, log, metrics });
  const backlogMaxEntries = settings.BACKLOG_MAX_ENTRIES;
  const epochs = new Epochs({ store: logStore, ledger: store.ledger, keys, backlogMaxEntries, log });
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source: store.headers, doorbell });
  const views = new RedisChannelViews({ store: logStore, epochs, keys });
  const replicas = new ReplicaWait(logStore, settings.LOG_REPLICAS);
  const memory = new LogMemory({ store: logStore, log });
  const redisLog = new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas });
  const truthful = measureLog(refuseWhenFull(redisLog, memory), metrics);
  const messageLog = settings.UNSAFE_ACK_BEFORE_APPEND ? acknowledgeFirst(truthful, views) : truthful;
  const limiter = createLimiter(settings, { redis: redis.cache, keys, threads, onBreaker: watch.cache.onBreaker });
  const hub: Hub = createHub({ views, archive, log: messageLog, clock: systemClock, logger: log, metrics });
  const broker = new RedisBroker({ store: logStore, subscriber: redis.subscriber, keys, events: hub, log });
  hub.connect(broker);
  // Heads that were compared before came from the store that was lost.
  redis.log.on('ready', () => void hub.compare());
  const connections: Service[] = Object.entries(redis).map(([name, connection]) => ({
    name: `redis ${name}`,
    run: () => connect(connection),
    stop: () => close(connection),
  }));
  const services: Service[] = [store, ...connections, memory, doorbell, epochs, broker, hub];
  return { store, archive, push, redis, epochs, views, messageLog, limiter, hub, broker, doorbell, services };
}

/** What the procedures call. */
function answersOf({ settings, log, metrics }: ComposeOptions, stores: Stores): Pick<Context, 'cases' | 'feeds'> {
  const { archive, push, views, messageLog, limiter, hub, broker, doorbell } = stores;
  const hints: UserHints = {
    tell: (userIds, hint) => {
      for (const userId of userIds) {
        broker.tellUser(userId, JSON.stringify(hint)).catch((error: unknown) => {
          log.debug({ err: error }, 'a hint was not heard');
        });
      }
    },
  };
  const cases = createCases({
    archive,
    views,
    log: messageLog,
    limiter,
    doorbell,
    watch: hub,
    hints,
    clock: systemClock,
    ids: { ...operationIds, ...channelIds },
    memberLimit: settings.MAX_CHANNEL_MEMBERS,
    push,
    pushKey: settings.VAPID_PUBLIC_KEY,
    pushRules: { hosts: settings.PUSH_HOSTS, loopback: settings.NODE_ENV !== 'production' },
  });
  const list = listChannels({ archive, views });
  const feedDeps = {
    hub,
    views,
    archive,
    log: messageLog,
    logger: log,
    clock: systemClock,
    newId: () => randomUUID(),
    summaries: async (userId: string) => (await list(userId, { limit: CHANNEL_LIST_DEFAULT })).items,
    summary: findChannel({ archive, views }),
  };
  return {
    cases: measureCases(cases, metrics),
    feeds: { channel: openChannelFeed(feedDeps), inbox: openInboxFeed(feedDeps) },
  };
}

function standingOf({ settings }: ComposeOptions, { redis, epochs, store }: Stores) {
  const strict = settings.NODE_ENV === 'production';
  const policies = createPolicyCheck({ log: redis.log, cache: redis.cache, fsync: settings.LOG_FSYNC }, strict);
  return () =>
    askDependencies({
      log: async () => {
        await redis.log.ping();
        return `epoch ${epochs.current.epoch}`;
      },
      cache: async () => {
        await redis.cache.ping();
        return undefined;
      },
      postgres: async () => {
        await store.check();
        return undefined;
      },
      policies,
    });
}
