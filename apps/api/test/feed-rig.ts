import { randomUUID } from 'node:crypto';
import {
  close,
  connect,
  createConnection,
  createKeys,
  Epochs,
  HeaderLoad,
  LogStore,
  RedisBroker,
  RedisChannelViews,
  RedisDrainLog,
  RedisMessageLog,
  ReplicaWait,
} from '@parley/cache';
import { ENTRY_KINDS, type LogPlace, RANKS, type Verdict } from '@parley/domain';
import type { Position } from '@parley/protocol';
import { createLog, createMetrics, type Service, systemClock } from '@parley/runtime';
import { migrate, openStore } from '@parley/store';
import { startRedis } from '@parley/testing';
import { testDatabase } from '@parley/testing/vitest';
import { createDrainMetrics } from '../../worker/src/drain/drain-metrics.ts';
import { createDrainer } from '../../worker/src/drain/drainer.ts';
import { openChannelFeed } from '../src/feeds/channel-feed.ts';
import { Press } from '../src/feeds/press.ts';
import { createHub, type Hub } from '../src/hub/hub.ts';
import { RecentHistories } from '../src/hub/recent-histories.ts';
import { Reader } from './feed-reader.ts';
import { quiet } from './feed-world.ts';

const logger = createLog({ name: 'test', level: 'silent' });
const keys = createKeys('parley');

/** One api thread without its doors, on real servers. */
export interface RealNode {
  readonly hub: Hub;
  readonly log: RedisMessageLog;
  /** How many feeds it opened so far is its own business: each gets a reader. */
  follow(channelId: string, userId: string, lastEventId?: Position | null): Reader;
}

export interface RealRig extends AsyncDisposable {
  node(): Promise<RealNode>;
  user(name: string): Promise<string>;
  channel(ownerId: string, memberIds: readonly string[]): Promise<string>;
  /** Commits what waits in the log. */
  drain(): Promise<void>;
  /** A command beside everything else. */
  redis(...command: [string, ...string[]]): Promise<unknown>;
}

export async function startRig(): Promise<RealRig> {
  const owned = new AsyncDisposableStack();
  const redis = owned.use(await startRedis({ appendonly: 'no', policy: 'noeviction' }));
  const { url } = owned.use(await testDatabase({ template: { name: 'store', build: (at) => migrate(at) } }));
  const beside = createConnection({ url: redis.url, kind: 'log', timeoutMs: 10_000, log: logger });
  await connect(beside, 10_000);
  owned.defer(() => close(beside));
  const worker = await startStores(url, redis.url, owned);
  const drainer = createDrainer({
    lanes: 1,
    log: new RedisDrainLog({ store: worker.logStore, epochs: worker.epochs, keys }),
    store: worker.store.drain,
    ledger: worker.store.ledger,
    sets: { changed: () => Promise.resolve() },
    clock: systemClock,
    metrics: createDrainMetrics(createMetrics()),
    logger,
    unsafeTrimBeforeCommit: false,
  });
  owned.defer(() => drainer.stop());
  const { archive } = worker.store;
  return {
    node: () => startNode(url, redis.url, owned),
    user: async (name) =>
      (await archive.upsertUser({ id: randomUUID(), name, avatarUrl: null, email: null, locale: null })).id,
    channel: async (ownerId, memberIds) => {
      const id = randomUUID();
      const group = { kind: 'group', name: 'a group', encrypted: false, memberLimit: 100 } as const;
      await archive.createChannel({ id, ...group, ownerId, memberIds });
      return id;
    },
    drain: async () => void (await drainer.drain(0, 200)),
    redis: (...[command, ...rest]) => beside.call(command, ...rest),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startStores(databaseUrl: string, redisUrl: string, owned: AsyncDisposableStack) {
  const store = openStore({ DATABASE_URL: databaseUrl }, { name: 'test', log: logger });
  owned.defer(() => store.stop());
  const connection = createConnection({ url: redisUrl, kind: 'log', timeoutMs: 10_000, log: logger });
  await connect(connection, 10_000);
  owned.defer(() => close(connection));
  const logStore = new LogStore({ redis: connection });
  const epochs = new Epochs({ store: logStore, ledger: store.ledger, keys, backlogMaxEntries: 50_000, log: logger });
  await started(epochs, owned);
  return { store, logStore, epochs };
}

async function started(service: Service, owned: AsyncDisposableStack): Promise<void> {
  await service.run();
  owned.defer(() => service.stop());
}

async function startNode(databaseUrl: string, redisUrl: string, owned: AsyncDisposableStack): Promise<RealNode> {
  const { store, logStore, epochs } = await startStores(databaseUrl, redisUrl, owned);
  const subscriber = createConnection({ url: redisUrl, kind: 'subscriber', log: logger });
  await connect(subscriber, 10_000);
  owned.defer(() => close(subscriber));
  const doorbell = { ring: () => undefined };
  const headers = new HeaderLoad({ store: logStore, epochs, keys, source: store.headers, doorbell });
  const views = new RedisChannelViews({ store: logStore, epochs, keys });
  const log = new RedisMessageLog({ store: logStore, epochs, headers, keys, replicas: new ReplicaWait(logStore, 0) });
  const histories = new RecentHistories(store.archive, systemClock);
  const deps = { views, histories, log, clock: systemClock, logger };
  const hub = createHub({ ...deps, metrics: createMetrics() });
  const broker = new RedisBroker({ store: logStore, subscriber, keys, events: hub, log: logger });
  hub.connect(broker);
  await started(broker, owned);
  await started(hub, owned);
  const open = openChannelFeed({ ...deps, hub, ephemeral: quiet, press: new Press() });
  return {
    hub,
    log,
    follow: (channelId, userId, lastEventId = null) =>
      new Reader((signal) => open({ userId, name: 'x' }, { channelId, lastEventId }, signal)),
  };
}

type Put = (log: RedisMessageLog) => Promise<Verdict>;

async function put({ log }: RealNode, channelId: string, once: Put): Promise<LogPlace> {
  for (let turn = 0; turn < 100; turn++) {
    const verdict = await once(log);
    if (verdict.type === 'accepted') return verdict.place;
    if (verdict.type === 'epoch') await log.renew();
    else if (verdict.type === 'missing') await log.load(channelId);
    else throw new Error(verdict.type);
  }
  throw new Error('not accepted');
}

/** Sends a message the way the use case does, without its limits. */
export function say(node: RealNode, channelId: string, { senderId, body }: { senderId: string; body: string }) {
  const [messageId, clientMsgId] = [randomUUID(), randomUUID()];
  const none = { replyTo: null, threadOf: null, attachmentIds: [], mentions: [], encrypted: null };
  const json = JSON.stringify({ id: messageId, channelId, clientMsgId, senderId, body, ...none });
  return put(node, channelId, (log) => log.accept({ channelId, senderId, clientMsgId, messageId, json }));
}

/** Removes a member the way the use case does. */
export function kick(node: RealNode, channelId: string, { actorId, userId }: { actorId: string; userId: string }) {
  const operationId = randomUUID();
  const json = JSON.stringify({ id: operationId, channelId, actorId, userId, rank: null, name: 'x' });
  const change = { channelId, actorId, operationId, userId, rank: null, leastRank: RANKS.moderator, json };
  return put(node, channelId, (log) => log.change({ ...change, kind: ENTRY_KINDS.left }));
}
