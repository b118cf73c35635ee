import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedis } from '@parley/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { epochKey } from '../src/keys.ts';
import { FakeLedger, FakeSource, keys, type Node, send, sendThrough, settleAll, startNode } from './rig.ts';

const owner = randomUUID();

/** A log store, Postgres' part in memory, and a channel. */
async function setting(options: { appendonly?: 'always' | 'no' } = {}) {
  const server = await startRedis({ appendonly: options.appendonly ?? 'always' });
  const ledger = new FakeLedger();
  const source = new FakeSource(ledger);
  const nodes: Node[] = [];
  const start = async (url = server.url) => {
    const node = await startNode({ url, ledger, source });
    nodes.push(node);
    await node.epochs.run();
    return node;
  };
  const channelId = source.add([owner]);
  return {
    server,
    ledger,
    source,
    channelId,
    start,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function until(met: () => Promise<boolean> | boolean, what: string) {
  for (const deadline = Date.now() + 15_000; !(await met()); ) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('epochs', () => {
  it('[EPOCH-1] before the first agreement nothing is written and nothing is promised', async () => {
    await using rig = await setting();
    await using node = await startNode({ url: rig.server.url, ledger: rig.ledger, source: rig.source });
    expect(() => node.log.epochOf(rig.channelId)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    expect(await send(node, rig.channelId, owner)).toEqual({ type: 'epoch' });
    await expect(node.views.views(owner, [rig.channelId])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('[EPOCH-2] nodes that start beside each other agree on one epoch, set in every partition', async () => {
    await using rig = await setting();
    const nodes = await Promise.all([rig.start(), rig.start(), rig.start()]);
    expect(rig.ledger.opened).toBe(1);
    expect(new Set(nodes.map((node) => node.log.epochOf(rig.channelId)))).toEqual(new Set([rig.ledger.epoch]));
    const marks = await nodes[0].redis.mget(...keys.stems.map(epochKey));
    expect(new Set(marks)).toEqual(new Set([String(rig.ledger.epoch)]));
  });

  it('single flight: many renewals at once are one', async () => {
    await using rig = await setting();
    const node = await rig.start();
    await node.redis.flushall();
    await Promise.all(Array.from({ length: 20 }, () => node.log.renew()));
    expect(rig.ledger.opened).toBe(2);
  });

  it('[EPOCH-3] SCRIPT FLUSH costs no epoch: the scripts are loaded again', async () => {
    await using rig = await setting();
    const node = await rig.start();
    await sendThrough(node, rig.channelId, owner);
    await node.redis.script('FLUSH');
    expect(await send(node, rig.channelId, owner)).toEqual({ type: 'epoch' });
    expect(await sendThrough(node, rig.channelId, owner)).toMatchObject({ place: { n: 2 } });
    expect(rig.ledger.opened).toBe(1);
  });

  it('[EPOCH-4] after FLUSHALL a stale node writes nothing, and a position is never used twice', async () => {
    await using rig = await setting();
    const [node, stale] = [await rig.start(), await rig.start()];
    const first = await sendThrough(node, rig.channelId, owner);
    // FLUSHALL keeps the scripts: what stops them is the missing epoch.
    await node.redis.flushall();
    expect(await send(stale, rig.channelId, owner)).toEqual({ type: 'epoch' });
    const next = await sendThrough(node, rig.channelId, owner);
    expect(next.place.epoch).toBeGreaterThan(first.place.epoch);
    expect(await send(stale, rig.channelId, owner)).toEqual({ type: 'epoch' });
    expect(await stale.log.load(rig.channelId)).toBe(true);
    expect(stale.log.epochOf(rig.channelId)).toBe(next.place.epoch);
  });

  it('[EPOCH-5] a restarted server has forgotten: a new epoch, opened on reconnect without a send', async () => {
    await using rig = await setting();
    const node = await rig.start();
    const { place } = await sendThrough(node, rig.channelId, owner);
    await rig.server.kill();
    await rig.server.restart();
    await until(() => node.epochs.current.epoch > place.epoch, 'a new epoch');
    expect(rig.ledger.opened).toBe(2);
    // The older entry is still in the log: it comes first.
    const waiting = sendThrough(node, rig.channelId, owner);
    await until(() => node.rung.length > 0, 'the doorbell');
    await settleAll(node, rig.ledger, rig.channelId);
    expect(await waiting).toMatchObject({ place: { epoch: rig.ledger.epoch, n: 1 } });
  });

  it('[EPOCH-6] a restored Postgres, a missing epoch and a foreign one each open a new epoch', async () => {
    await using rig = await setting();
    const node = await rig.start();
    rig.ledger.restored = true;
    await node.log.renew();
    expect(rig.ledger.opened).toBe(2);
    await node.redis.del(epochKey(keys.stems[17] ?? ''));
    await node.log.renew();
    expect(rig.ledger.opened).toBe(3);
    await node.redis.set(epochKey(keys.stems[40] ?? ''), rig.ledger.epoch + 7);
    await node.log.renew();
    expect(rig.ledger.opened).toBe(4);
    await node.log.renew();
    expect(rig.ledger.opened).toBe(4);
    expect(await sendThrough(node, rig.channelId, owner)).toMatchObject({ type: 'accepted' });
  });

  it('an opener that dies between commit and SET leaves a store that is renewed', async () => {
    await using rig = await setting();
    const node = await rig.start();
    await rig.ledger.locked((lock) => lock.open(node.epochs.current.server));
    await node.log.renew();
    expect(rig.ledger.opened).toBe(3);
    expect(await sendThrough(node, rig.channelId, owner)).toMatchObject({ place: { epoch: rig.ledger.epoch } });
  });

  it('a replica is no log store', async () => {
    await using rig = await setting();
    await using replica = await startRedis();
    const admin = new Redis(replica.url);
    await admin.replicaof('127.0.0.1', String(rig.server.port));
    await using node = await startNode({ url: replica.url, ledger: rig.ledger, source: rig.source });
    await expect(node.log.renew()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    admin.disconnect();
  });
});

/** Waits until the replica has everything. */
async function replicated(master: Redis, replica: Redis) {
  await until(async () => {
    if (!(await replica.info('replication')).includes('master_link_status:up')) return false;
    return (await master.wait(1, 1_000)) === 1;
  }, 'a replica in step');
}

/**
 * The model's first finding: X is master, loses an acknowledged entry by fail-over to Y, comes back as Y's replica *with its scripts*,
 * and is master again. Its scripts and the replicated epoch still agree with each other.
 * Resolves with what the stale node, which slept through all of it, did.
 */
async function masterReplicaMaster(x: RedisServer, patch: (node: Node) => Promise<void>) {
  await using y = await startRedis();
  const ledger = new FakeLedger();
  const source = new FakeSource(ledger);
  const channelId = source.add([owner]);
  const [onX, onY] = [new Redis(x.url), new Redis(y.url)];
  try {
    for (const admin of [onX, onY]) await admin.config('SET', 'repl-diskless-sync-delay', 0);
    // Before anything else: a master that gets its first replica takes another replication id.
    await onY.replicaof('127.0.0.1', String(x.port));
    await replicated(onX, onY);
    await using stale = await startNode({ url: x.url, ledger, source });
    await stale.epochs.run();
    await patch(stale);
    await stale.log.load(channelId);
    // Deaf to what happens: it goes on with the scripts that it has.
    await stale.epochs.stop();
    await replicated(onX, onY);
    // Y is promoted before it hears of the entry that X acknowledges.
    await onY.replicaof('NO', 'ONE');
    const lost = await send(stale, channelId, owner);
    await onX.replicaof('127.0.0.1', String(y.port));
    await replicated(onY, onX);
    await onX.replicaof('NO', 'ONE');
    await until(() => stale.redis.status === 'ready', 'a connection');
    return { lost, again: await send(stale, channelId, owner) };
  } finally {
    onX.disconnect();
    onY.disconnect();
  }
}

describe('a server that was master, replica and master again', () => {
  it('[EPOCH-7] refuses the scripts of its first reign, though it still has them', async () => {
    await using x = await startRedis();
    const { lost, again } = await masterReplicaMaster(x, async () => undefined);
    expect(lost).toMatchObject({ type: 'accepted', place: { n: 1 } });
    expect(again).toEqual({ type: 'epoch' });
  });

  it('control: without the comparison of replication ids the position is used twice', async () => {
    await using x = await startRedis();
    const { lost, again } = await masterReplicaMaster(x, async (node) => {
      const { scripts } = node.epochs.current;
      for (const script of [scripts.accept, scripts.load]) {
        const text = script.text.replace(/master_replid:[0-9a-f]+/, 'master_replid:');
        Object.assign(script, { text, sha: await node.redis.script('LOAD', text) });
      }
    });
    expect(lost).toMatchObject({ type: 'accepted', place: { n: 1 } });
    expect(again).toMatchObject({
      type: 'accepted',
      place: lost.type === 'accepted' ? { n: 1, epoch: lost.place.epoch } : {},
    });
  });

  it('[EPOCH-8] a promoted replica has no scripts at all: NOSCRIPT is the second wall', async () => {
    await using x = await startRedis();
    await using y = await startRedis();
    const ledger = new FakeLedger();
    const source = new FakeSource(ledger);
    const channelId = source.add([owner]);
    const [onX, onY] = [new Redis(x.url), new Redis(y.url)];
    await onX.config('SET', 'repl-diskless-sync-delay', 0);
    await onY.replicaof('127.0.0.1', String(x.port));
    await replicated(onX, onY);
    await using before = await startNode({ url: x.url, ledger, source });
    await before.epochs.run();
    await before.log.load(channelId);
    await replicated(onX, onY);
    await onY.replicaof('NO', 'ONE');
    await using after = await startNode({ url: y.url, ledger, source });
    const { sha } = before.epochs.current.scripts.accept;
    await expect(after.store.evalsha(sha, { keys: [], args: [] })).rejects.toThrow('NOSCRIPT');
    await after.epochs.run();
    expect(ledger.opened).toBe(2);
    onX.disconnect();
    onY.disconnect();
  });
});

describe('a killed server', () => {
  /** Sends in parallel, kills the server in the middle, and compares what was acknowledged with what it has after its restart. */
  async function killUnderLoad(appendonly: 'always' | 'no') {
    await using rig = await setting({ appendonly });
    const node = await rig.start();
    await node.log.load(rig.channelId);
    const acked: string[] = [];
    let stopped = false;
    const senders = Array.from({ length: 16 }, async () => {
      while (!stopped) {
        const clientMsgId = randomUUID();
        const verdict = await send(node, rig.channelId, [owner, clientMsgId]).catch(() => null);
        if (verdict?.type === 'accepted') acked.push(clientMsgId);
        else return;
      }
    });
    await until(() => acked.length >= 500, '500 acknowledged');
    await rig.server.kill();
    stopped = true;
    await Promise.all(senders);
    await rig.server.restart();
    await until(() => node.redis.status === 'ready', 'a connection');
    const lines = await node.views.after(rig.channelId, '0-0', 1_000_000);
    const kept = new Set(lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))).clientMsgId));
    return { acked: acked.length, lost: acked.filter((id) => !kept.has(id)).length };
  }

  it('[SEND-5] kill -9 loses nothing that was acknowledged', async () => {
    expect(await killUnderLoad('always')).toMatchObject({ lost: 0 });
  });

  it('control: without the append-only file it does', async () => {
    const { acked, lost } = await killUnderLoad('no');
    expect(lost).toBe(acked);
  });
});
