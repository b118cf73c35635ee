import { randomUUID } from 'node:crypto';
import { startRedis } from '@parley/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { epochKey } from '../src/keys.ts';
import { keys, send, sendThrough, setting, settleAll, startNode, until } from './rig.ts';

const owner = randomUUID();

describe('epochs', () => {
  it('[EPOCH-61] before the first agreement nothing is written and nothing is promised', async () => {
    await using rig = await setting(owner);
    await using node = await startNode({ url: rig.server.url, ledger: rig.ledger, source: rig.source });
    expect(() => node.log.epochOf(rig.channelId)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    expect(await send(node, rig.channelId, owner)).toEqual({ type: 'epoch' });
    await expect(node.views.views(owner, [rig.channelId])).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('[EPOCH-62] nodes that start beside each other agree on one epoch, set in every partition', async () => {
    await using rig = await setting(owner);
    const nodes = await Promise.all([rig.start(), rig.start(), rig.start()]);
    expect(rig.ledger.opened).toBe(1);
    expect(new Set(nodes.map((node) => node.log.epochOf(rig.channelId)))).toEqual(new Set([rig.ledger.epoch]));
    const marks = await nodes[0].redis.mget(...keys.stems.map(epochKey));
    expect(new Set(marks)).toEqual(new Set([String(rig.ledger.epoch)]));
  });

  it('single flight: many renewals at once are one', async () => {
    await using rig = await setting(owner);
    const node = await rig.start();
    await node.redis.flushall();
    await Promise.all(Array.from({ length: 20 }, () => node.log.renew()));
    expect(rig.ledger.opened).toBe(2);
  });

  it('[EPOCH-63] SCRIPT FLUSH costs no epoch: the scripts are loaded again', async () => {
    await using rig = await setting(owner);
    const node = await rig.start();
    await sendThrough(node, rig.channelId, owner);
    await node.redis.script('FLUSH');
    expect(await send(node, rig.channelId, owner)).toEqual({ type: 'epoch' });
    expect(await sendThrough(node, rig.channelId, owner)).toMatchObject({ place: { n: 2 } });
    expect(rig.ledger.opened).toBe(1);
  });

  it('[EPOCH-64] after FLUSHALL a stale node writes nothing, and a position is never used twice', async () => {
    await using rig = await setting(owner);
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

  it('[EPOCH-65] a restarted server has forgotten: a new epoch, opened on reconnect without a send', async () => {
    await using rig = await setting(owner);
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

  it('[EPOCH-66] a restored Postgres, a missing epoch and a foreign one each open a new epoch', async () => {
    await using rig = await setting(owner);
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
    await using rig = await setting(owner);
    const node = await rig.start();
    await rig.ledger.locked((lock) => lock.open(node.epochs.current.server));
    await node.log.renew();
    expect(rig.ledger.opened).toBe(3);
    expect(await sendThrough(node, rig.channelId, owner)).toMatchObject({ place: { epoch: rig.ledger.epoch } });
  });

  it('a replica is no log store', async () => {
    await using rig = await setting(owner);
    await using replica = await startRedis();
    const admin = new Redis(replica.url);
    await admin.replicaof('127.0.0.1', String(rig.server.port));
    await using node = await startNode({ url: replica.url, ledger: rig.ledger, source: rig.source });
    await expect(node.log.renew()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    admin.disconnect();
  });
});
