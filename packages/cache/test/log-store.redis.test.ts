import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { close, connect, createConnection } from '../src/connections.ts';
import { LogMemory } from '../src/log-memory.ts';
import { RedisMessageLog } from '../src/message-log.ts';
import { checkPolicies } from '../src/policy-check.ts';
import { ReplicaWait } from '../src/replica-wait.ts';
import { readScript } from '../src/script.ts';
import { change, FakeLedger, FakeSource, keys, type Node, send, silent, startNode, until } from './rig.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const owner = randomUUID();

async function openNode(detail: { timeoutMs?: number; replicas?: number } = {}) {
  const ledger = new FakeLedger();
  const source = new FakeSource(ledger);
  const node = await startNode({ url: server.url, ledger, source, ...detail });
  // What another test left in the log would be of an older epoch, and nobody drains it.
  await node.redis.flushall();
  await node.epochs.run();
  const channelId = source.add([owner]);
  await node.log.load(channelId);
  return { node, channelId };
}

/** Stops the server's process without ending its connections while `work` runs. */
async function whileSilent(work: () => Promise<void>) {
  process.kill(server.pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(server.pid, 'SIGCONT');
  }
}

describe('a log store that fails', () => {
  it('[DEG-62] is away before anything is sent: UNAVAILABLE, at once', async () => {
    const { node, channelId } = await openNode();
    await using _ = node;
    await server.kill();
    await until(() => node.redis.status !== 'ready', 'the loss');
    await expect(send(node, channelId, owner)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      retryAfterMs: 1_000,
    });
    await server.restart();
  });

  it('[SEND-66] a send without an answer is UNKNOWN_RETRY, never a failure, and its resend finds what became of it', async () => {
    const { node, channelId } = await openNode({ timeoutMs: 300 });
    await using _ = node;
    const clientMsgId = randomUUID();
    await whileSilent(async () => {
      await expect(send(node, channelId, [owner, clientMsgId])).rejects.toMatchObject({ code: 'UNKNOWN_RETRY' });
    });
    expect(await send(node, channelId, [owner, clientMsgId])).toMatchObject({ type: 'duplicate', place: { n: 1 } });
    expect(await send(node, channelId, owner)).toMatchObject({ type: 'accepted', place: { n: 2 } });
  });

  it('a connection that is lost under way is UNKNOWN_RETRY for a send and UNAVAILABLE for a question', async () => {
    const { node, channelId } = await openNode();
    await using _ = node;
    await whileSilent(async () => {
      const outcomes = Promise.allSettled([send(node, channelId, owner), node.views.views(owner, [channelId])]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      node.redis.disconnect(true);
      expect(await outcomes).toMatchObject([
        { reason: { code: 'UNKNOWN_RETRY' } },
        { reason: { code: 'UNAVAILABLE' } },
      ]);
    });
  });

  it('[DEG-63] one that stays silent is not asked again by everybody: refused fast, and found again', async () => {
    const { node, channelId } = await openNode({ timeoutMs: 200 });
    await using _ = node;
    await whileSilent(async () => {
      await Promise.allSettled(Array.from({ length: 5 }, () => send(node, channelId, owner)));
      const refused = await Promise.allSettled(Array.from({ length: 20 }, () => send(node, channelId, owner)));
      for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: 'UNAVAILABLE' } });
    });
    await until(async () => (await send(node, channelId, owner).catch(() => null))?.type === 'accepted', 'found again');
  });

  it('[LIMIT-65] full memory is BACKPRESSURE, and nothing is half written', async () => {
    const { node, channelId } = await openNode();
    await using _ = node;
    await send(node, channelId, owner);
    await node.redis.config('SET', 'maxmemory', '1mb');
    const clientMsgId = randomUUID();
    try {
      await expect(send(node, channelId, [owner, clientMsgId])).rejects.toMatchObject({ code: 'BACKPRESSURE' });
    } finally {
      await node.redis.config('SET', 'maxmemory', '0');
    }
    expect(await node.views.after(channelId, '0-0', 10)).toHaveLength(1);
    expect(await send(node, channelId, [owner, clientMsgId])).toMatchObject({ type: 'accepted', place: { n: 2 } });
  });

  it('[LIMIT-66] above half of its memory a log store takes no messages, but member changes', async () => {
    const { node, channelId } = await openNode();
    await using _ = node;
    const memory = new LogMemory({ store: node.store, log: silent, everyMs: 20 });
    const { store, epochs, headers } = node;
    const log = new RedisMessageLog({ store, epochs, headers, keys, replicas: new ReplicaWait(store, 0), memory });
    memory.run();
    const used = Number(/used_memory:(\d+)/.exec(await node.redis.info('memory'))?.[1]);
    await node.redis.config('SET', 'maxmemory', Math.floor(used * 1.5));
    await until(() => memory.full, 'full');
    expect(await send({ ...node, log }, channelId, owner)).toEqual({ type: 'backpressure' });
    const joined = { channelId, actorId: owner, kind: 'j' as const, userId: randomUUID(), rank: 2 };
    expect(await change({ ...node, log }, joined)).toMatchObject({ type: 'accepted' });
    await node.redis.config('SET', 'maxmemory', used * 10);
    await until(() => !memory.full, 'room');
    expect(await send({ ...node, log }, channelId, owner)).toMatchObject({ type: 'accepted' });
    await node.redis.config('SET', 'maxmemory', 0);
    await memory.stop();
  });

  it('a master that became a replica is UNAVAILABLE', async () => {
    const { node, channelId } = await openNode();
    await using _ = node;
    const admin = node.redis.duplicate({ lazyConnect: false, enableOfflineQueue: true });
    await admin.replicaof('127.0.0.1', '1');
    const verdict = await send(node, channelId, owner).catch((error: unknown) => error);
    // Its replication id has changed with its role, or its first write is refused: either way nothing is written.
    expect(verdict).toSatisfy((it) => Object(it).type === 'epoch' || Object(it).code === 'UNAVAILABLE');
    await admin.replicaof('NO', 'ONE');
    admin.disconnect();
  });

  it('[SEND-67] with LOG_REPLICAS, what no replica has is not acknowledged', async () => {
    const { node, channelId } = await openNode({ replicas: 1 });
    await using _ = node;
    const clientMsgId = randomUUID();
    await expect(send(node, channelId, [owner, clientMsgId])).rejects.toMatchObject({ code: 'UNKNOWN_RETRY' });
    await expect(send(node, channelId, [owner, clientMsgId])).rejects.toMatchObject({ code: 'UNKNOWN_RETRY' });
  });

  it('control: without LOG_REPLICAS it is', async () => {
    const { node, channelId } = await openNode();
    await using _ = node;
    expect(await send(node, channelId, owner)).toMatchObject({ type: 'accepted' });
  });

  /** A master with a replica in step, and how many WAITs it has been sent since. */
  async function replicated() {
    // One that rewrites its append-only file refuses to end.
    const replica = await startRedis({ appendonly: 'no' });
    const admin = createConnection({ url: replica.url, kind: 'log', timeoutMs: 5_000, log: silent });
    await connect(admin, 5_000);
    const master = createConnection({ url: server.url, kind: 'log', timeoutMs: 5_000, log: silent });
    await connect(master, 5_000);
    await master.config('SET', 'repl-diskless-sync-delay', 0);
    await admin.replicaof('127.0.0.1', String(server.port));
    await until(async () => (await admin.info('replication')).includes('master_link_status:up'), 'a replica');
    await master.config('RESETSTAT');
    return {
      waits: async () => Number(/cmdstat_wait:calls=(\d+)/.exec(await master.info('commandstats'))?.[1] ?? 0),
      async [Symbol.asyncDispose]() {
        await Promise.all([close(admin), close(master)]);
        await replica[Symbol.asyncDispose]();
      },
    };
  }

  /** How many WAITs as many sends as a turn has take; each waits for as long as a slow disk may keep a replica from answering. */
  async function waitsOfThirty(grouped: (wait: () => ReplicaWait) => Pick<ReplicaWait, 'confirmed'>) {
    await using pair = await replicated();
    const { node, channelId } = await openNode();
    await using _ = node;
    const before = await pair.waits();
    const { store, epochs, headers } = node;
    const replicas = grouped(() => new ReplicaWait(store, 1, 4_000));
    const log = new RedisMessageLog({ store, epochs, headers, keys, replicas });
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => send({ ...node, log }, channelId, owner)));
    expect(verdicts.every((verdict) => verdict.type === 'accepted')).toBe(true);
    return (await pair.waits()) - before;
  }

  it('[SEND-71] one WAIT serves all sends of a turn', async () => {
    const waits = await waitsOfThirty((wait) => wait());
    expect(waits).toBeGreaterThan(0);
    expect(waits).toBeLessThanOrEqual(6);
  });

  it('[SEND-71] control: without the group each send waits by itself', async () => {
    expect(await waitsOfThirty((wait) => ({ confirmed: () => wait().confirmed() }))).toBe(30);
  });
});

describe('the sends of a turn', () => {
  /** Writes to the socket that 30 sends of one turn take. */
  async function writesOf(hold: (redis: Node['redis']) => void) {
    const { node, channelId } = await openNode();
    await using _ = node;
    hold(node.redis);
    const { stream } = node.redis;
    const written = [vi.spyOn(stream, '_write'), vi.spyOn(stream, '_writev')];
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => send(node, channelId, owner)));
    expect(verdicts.every((verdict) => verdict.type === 'accepted')).toBe(true);
    return written.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  }

  it('[SEND-72] leave in one write', async () => {
    expect(await writesOf(() => undefined)).toBe(1);
  });

  it('[SEND-72] control: a connection that is not held back writes each by itself', async () => {
    expect(await writesOf((redis) => vi.spyOn(redis.stream, 'cork').mockReturnValue())).toBe(30);
  });

  it('a lost connection does not hold back what is sent on the next', async () => {
    const { node, channelId } = await openNode();
    await using _ = node;
    const lost = send(node, channelId, owner).catch((error: unknown) => error);
    node.redis.stream.destroy();
    expect(await lost).toMatchObject({ code: 'UNKNOWN_RETRY' });
    await until(() => node.redis.status === 'ready', 'a connection');
    expect(await send(node, channelId, owner)).toMatchObject({ type: 'accepted' });
  });
});

describe('policies', () => {
  it('[RUN-61] the right two servers have nothing against them; every wrong one is named', async () => {
    await using right = await startRedis({ policy: 'allkeys-lru' });
    await using volatile = await startRedis({ appendonly: 'no' });
    const open = async (url: string) => {
      const redis = createConnection({ url, kind: 'log', timeoutMs: 5_000, log: silent });
      await connect(redis, 5_000);
      return redis;
    };
    const [log, cache, bad] = await Promise.all([open(server.url), open(right.url), open(volatile.url)]);
    expect(await checkPolicies({ log, cache, fsync: 'always' })).toEqual([]);
    expect(await checkPolicies({ log: cache, cache: bad, fsync: 'always' })).toEqual([
      'log store: maxmemory-policy is allkeys-lru, must be noeviction',
      'log store: appendonly is no, must be yes',
      expect.stringContaining('LOG_FSYNC'),
      'cache store: maxmemory-policy is noeviction, must be allkeys-lru',
    ]);
    expect(await checkPolicies({ log, cache: log, fsync: 'always' })).toContain(
      'REDIS_LOG_URL and REDIS_CACHE_URL are one server, must be two',
    );
    await Promise.all([log, cache, bad].map((redis) => close(redis)));
  });
});

it('a script with a constant that has no value is never made', () => {
  expect(() => readScript('accept', { EPOCH: 1 })).toThrow('no value for');
});
