import { randomUUID } from 'node:crypto';
import {
  type Doorbell,
  type EpochLedger,
  type EpochLock,
  type HeaderSnapshot,
  type HeaderSource,
  type LogServerIdentity,
  type MemberChange,
  PARTITIONS,
  type PartitionCursor,
  partitionOf,
  type Verdict,
} from '@parley/domain';
import { createLog } from '@parley/runtime';
import { startRedis } from '@parley/testing';
import type { Redis } from 'ioredis';
import { close, connect, createConnection } from '../src/connections.ts';
import { Epochs } from '../src/epochs.ts';
import {
  createKeys,
  HeaderLoad,
  LogStore,
  RedisChannelViews,
  RedisDrainLog,
  RedisMessageLog,
  ReplicaWait,
} from '../src/index.ts';
import { epochKey } from '../src/keys.ts';

export const silent = createLog({ name: 'test', level: 'silent' });
export const keys = createKeys('parley');

/** Postgres' part of the epochs, in memory: one lock, one epoch for all partitions. */
export class FakeLedger implements EpochLedger {
  cursors: PartitionCursor[] = Array.from({ length: PARTITIONS }, (_, partition) => {
    return { partition, epoch: 0, readEpoch: 0, readK: 0 };
  });
  openedOn: LogServerIdentity | null = null;
  restored = false;
  opened = 0;
  #turn: Promise<unknown> = Promise.resolve();

  get epoch(): number {
    return this.cursors[0]?.epoch ?? 0;
  }

  locked<T>(work: (lock: EpochLock) => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => work(this.#lock()));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #lock(): EpochLock {
    return {
      cursors: this.cursors,
      openedOn: this.openedOn,
      restored: this.restored,
      open: async (server) => {
        const epoch = Math.max(this.epoch + 1, Math.floor(Date.now() / 1_000));
        this.cursors = this.cursors.map((cursor) => ({ ...cursor, epoch }));
        this.openedOn = server;
        this.restored = false;
        this.opened++;
        return epoch;
      },
    };
  }
}

type Members = HeaderSnapshot['members'];

const NEW_CHANNEL = { version: 1, memberLimit: 100, holes: [], head: null, archivedAt: null, deleted: [] };

/** Postgres' part of the headers, in memory. */
export class FakeSource implements HeaderSource {
  readonly channels = new Map<string, Omit<HeaderSnapshot, 'epoch'>>();
  asked = 0;
  readonly #ledger: FakeLedger;

  constructor(ledger: FakeLedger) {
    this.#ledger = ledger;
  }

  async header(channelId: string): Promise<HeaderSnapshot | null> {
    this.asked++;
    const found = this.channels.get(channelId);
    return found ? { ...found, epoch: this.#ledger.epoch } : null;
  }

  /** A channel whose first user owns it, the others are members. */
  add(userIds: readonly string[], detail: Partial<Omit<HeaderSnapshot, 'epoch'>> = {}): string {
    const channelId = randomUUID();
    const members = userIds.map((userId, i) => member(userId, { rank: i === 0 ? 5 : 2 }));
    this.channels.set(channelId, { ...NEW_CHANNEL, members, ...detail });
    return channelId;
  }
}

export function member(userId: string, detail: Partial<Members[number]> = {}): Members[number] {
  return { userId, rank: 2, silencedUntilMs: 0, readTo: null, deliveredTo: null, unread: 0, mentions: [], ...detail };
}

/** One process of a cluster, as far as the message log goes. */
export interface Node extends AsyncDisposable {
  readonly redis: Redis;
  readonly store: LogStore;
  readonly epochs: Epochs;
  readonly headers: HeaderLoad;
  readonly log: RedisMessageLog;
  readonly views: RedisChannelViews;
  readonly drain: RedisDrainLog;
  readonly rung: number[];
}

export interface NodeOptions {
  readonly url: string;
  readonly ledger: FakeLedger;
  readonly source: HeaderSource;
  readonly backlogMaxEntries?: number;
  readonly patienceMs?: number;
  readonly replicas?: number;
  readonly timeoutMs?: number;
}

/** A node that is connected; it agrees on an epoch when it is told to. */
export async function startNode(options: NodeOptions): Promise<Node> {
  const { url, ledger, source, backlogMaxEntries = 50_000, patienceMs = 3_000, replicas = 0 } = options;
  const redis = createConnection({ url, kind: 'log', timeoutMs: options.timeoutMs ?? 5_000, log: silent });
  await connect(redis, 10_000);
  const store = new LogStore({ redis });
  const epochs = new Epochs({ store, ledger, keys, backlogMaxEntries, log: silent });
  const rung: number[] = [];
  const doorbell: Doorbell = { ring: (partition) => rung.push(partition) };
  const headers = new HeaderLoad({ store, epochs, keys, source, doorbell, patienceMs });
  return {
    redis,
    store,
    epochs,
    headers,
    rung,
    log: new RedisMessageLog({ store, epochs, headers, keys, replicas: new ReplicaWait(store, replicas) }),
    views: new RedisChannelViews({ store, epochs, keys }),
    drain: new RedisDrainLog({ store, epochs, keys }),
    async [Symbol.asyncDispose]() {
      await epochs.stop();
      await close(redis);
    },
  };
}

/** Who sends, and under which id; without one it is a new message. */
export type Sender = string | readonly [userId: string, clientMsgId: string | undefined];

export function send(node: Node, channelId: string, sender: Sender): Promise<Verdict> {
  const [senderId, clientMsgId = randomUUID()] = typeof sender === 'string' ? [sender] : sender;
  const messageId = randomUUID();
  const json = JSON.stringify({ id: messageId, channelId, clientMsgId, senderId, body: 'hello' });
  return node.log.accept({ channelId, senderId, clientMsgId, messageId, json });
}

/** Sends until it is in the log, the way a use case does: an epoch is renewed, a header is loaded. */
export async function sendThrough(node: Node, channelId: string, sender: Sender) {
  for (let attempt = 0; attempt < 6; attempt++) {
    const verdict = await send(node, channelId, sender);
    if (verdict.type === 'accepted' || verdict.type === 'duplicate') return verdict;
    if (verdict.type === 'epoch') await node.log.renew();
    else if (verdict.type === 'missing') await node.log.load(channelId);
    else throw new Error(verdict.type);
  }
  throw new Error('not accepted');
}

export function change(
  node: Node,
  detail: Partial<MemberChange> & Pick<MemberChange, 'channelId' | 'actorId' | 'kind' | 'userId' | 'rank'>,
) {
  const operationId = detail.operationId ?? randomUUID();
  const json = JSON.stringify({
    id: operationId,
    channelId: detail.channelId,
    userId: detail.userId,
    rank: detail.rank,
  });
  return node.log.change({ operationId, leastRank: 3, json, ...detail });
}

/** The epoch that a partition had, with its mark, after a test has taken it away. */
export async function putEpochBack(node: Node, stem: string, epoch: number): Promise<void> {
  await node.redis.set(epochKey(stem), epoch);
  await node.redis.setrange(epochKey(stem), 0, String(epoch));
}

/** Drains a channel's partition as a worker would, into nothing: settles everything that is in the log. */
export async function settleAll(node: Node, ledger: FakeLedger, channelId: string) {
  const partition = partitionOf(channelId);
  const cursor = ledger.cursors[partition];
  if (!cursor) throw new Error('no cursor');
  const [read] = await node.drain.read([cursor], 10_000);
  const last = read?.entries.at(-1);
  if (!last) return;
  const place = /^\d+ \S+ (\d+)-(\d+) (\d+) (\d+)/.exec(last.line)?.slice(1).map(Number) ?? [];
  const [epoch = 0, n = 0, m = 0, at = 0] = place;
  await node.drain.settle({
    partition,
    toEpoch: last.epoch,
    toK: last.k,
    channels: [{ channelId, upTo: { epoch, n, m, at }, holes: [], notices: [] }],
  });
  ledger.cursors[partition] = { ...cursor, readEpoch: last.epoch, readK: last.k };
}

/** Resolves when it is so; a test that waits for what never comes says what. */
export async function until(met: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 15_000; !(await met()); ) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A log store, Postgres' part in memory, and a channel of one member. */
export async function setting(owner: string, options: { appendonly?: 'always' | 'no' } = {}) {
  const server = await startRedis({ appendonly: options.appendonly ?? 'always' });
  const ledger = new FakeLedger();
  const source = new FakeSource(ledger);
  const nodes: Node[] = [];
  return {
    server,
    ledger,
    source,
    channelId: source.add([owner]),
    /** A node that has agreed on an epoch. */
    async start() {
      const node = await startNode({ url: server.url, ledger, source });
      nodes.push(node);
      await node.epochs.run();
      return node;
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
