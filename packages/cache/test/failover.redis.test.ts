import { randomUUID } from 'node:crypto';
import { type RedisServer, startRedis } from '@parley/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { epochKey, headerKey, logKey, windowKey } from '../src/keys.ts';
import { readScript } from '../src/script.ts';
import { FakeLedger, FakeSource, keys, type Node, send, setting, startNode, until } from './rig.ts';

const owner = randomUUID();

const withoutMark = (text: string) => text.replaceAll("or call('OBJECT', 'ENCODING', KEYS[1]) ~= 'raw'", '');

/** Waits until the replica has everything. */
async function replicated(master: Redis, replica: Redis) {
  await until(async () => {
    if (!(await replica.info('replication')).includes('master_link_status:up')) return false;
    // WAIT asks for what this very connection wrote, and for nothing before that.
    await master.set('in step', '');
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
  it('[EPOCH-67] refuses the scripts of its first reign, though it still has them', async () => {
    await using x = await startRedis();
    const { lost, again } = await masterReplicaMaster(x, async () => undefined);
    expect(lost).toMatchObject({ type: 'accepted', place: { n: 1 } });
    expect(again).toEqual({ type: 'epoch' });
  });

  it('control: without the look at the mark the position is used twice', async () => {
    await using x = await startRedis();
    const { lost, again } = await masterReplicaMaster(x, async (node) => {
      const { scripts } = node.epochs.current;
      for (const script of [scripts.accept, scripts.load]) {
        const text = withoutMark(script.text);
        Object.assign(script, { text, sha: await node.redis.script('LOAD', text) });
      }
    });
    expect(lost).toMatchObject({ type: 'accepted', place: { n: 1 } });
    expect(again).toMatchObject({
      type: 'accepted',
      place: lost.type === 'accepted' ? { n: 1, epoch: lost.place.epoch } : {},
    });
  });

  /** A stale node sends to a replica that was promoted, which has all that its master had, and the scripts of that one. */
  async function promoted(patch: (text: string) => string) {
    await using x = await startRedis();
    await using y = await startRedis();
    const ledger = new FakeLedger();
    const source = new FakeSource(ledger);
    const channelId = source.add([owner]);
    const [onX, onY] = [new Redis(x.url), new Redis(y.url)];
    try {
      await onX.config('SET', 'repl-diskless-sync-delay', 0);
      await onY.replicaof('127.0.0.1', String(x.port));
      await replicated(onX, onY);
      // Everything from here on comes to Y as commands, not as a data set that it loads.
      await using node = await startNode({ url: x.url, ledger, source });
      await node.epochs.run();
      await node.log.load(channelId);
      await replicated(onX, onY);
      await onY.replicaof('NO', 'ONE');
      const text = patch(node.epochs.current.scripts.accept.text);
      await using other = await startNode({ url: y.url, ledger, source });
      const sha = String(await other.redis.script('LOAD', text));
      const stem = keys.stemOf(channelId);
      const call = {
        keys: [epochKey(stem), `${stem}dd`, headerKey(stem, channelId), windowKey(stem, channelId), logKey(stem)],
        args: [owner, 'id', '{"id":1}'],
      };
      return await other.store.evalsha(sha, call);
    } finally {
      onX.disconnect();
      onY.disconnect();
    }
  }

  it('[SEND-68] the mark is not replicated: a promoted replica refuses even scripts that somebody has loaded there', async () => {
    expect(await promoted((text) => text)).toEqual(['epoch']);
  });

  it('control: without the look at the mark it takes the message', async () => {
    expect(await promoted(withoutMark)).toMatchObject(['accepted', expect.any(String), 0]);
  });

  it('[SEND-69] a server that is given its first replica goes on in its epoch', async () => {
    await using rig = await setting(owner);
    await using replica = await startRedis();
    const node = await rig.start();
    const [onX, onY] = [new Redis(rig.server.url), new Redis(replica.url)];
    await node.log.load(rig.channelId);
    await onX.config('SET', 'repl-diskless-sync-delay', 0);
    await onY.replicaof('127.0.0.1', String(rig.server.port));
    await replicated(onX, onY);
    expect(await send(node, rig.channelId, owner)).toMatchObject({ type: 'accepted', place: { n: 1 } });
    expect(rig.ledger.opened).toBe(1);
    onX.disconnect();
    onY.disconnect();
  });

  it('[SEND-68] an epoch that was opened for another server is neither set nor marked', async () => {
    await using x = await startRedis();
    await using node = await startNode({
      url: x.url,
      ledger: new FakeLedger(),
      source: new FakeSource(new FakeLedger()),
    });
    const { text } = readScript('open', { EPOCH: 7, REPLID: '0'.repeat(40) });
    expect(await node.redis.eval(text, 1, 'epoch')).toBe('elsewhere');
    expect(await node.redis.exists('epoch')).toBe(0);
  });

  it('[EPOCH-68] a promoted replica has no scripts at all: NOSCRIPT is the second wall', async () => {
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
    await using rig = await setting(owner, { appendonly });
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

  it('[SEND-65] kill -9 loses nothing that was acknowledged', async () => {
    expect(await killUnderLoad('always')).toMatchObject({ lost: 0 });
  });

  it('control: without the append-only file it does', async () => {
    const { acked, lost } = await killUnderLoad('no');
    expect(lost).toBe(acked);
  });
});
