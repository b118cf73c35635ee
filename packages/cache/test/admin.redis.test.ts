import { randomUUID } from 'node:crypto';
import { FOR_EVER_MS } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createErasureMemory, createGraves, createSilence, createWindowPurge } from '../src/index.ts';
import { headerKey, windowKey } from '../src/keys.ts';
import { change, FakeLedger, FakeSource, keys, type Node, send, sendThrough, settleAll, startNode } from './rig.ts';

const [owner, leaver] = [randomUUID(), randomUUID()];
let server: RedisServer;
let ledger: FakeLedger;
let source: FakeSource;
let node: Node;

beforeAll(async () => {
  server = await startRedis({ appendonly: 'no' });
  ledger = new FakeLedger();
  source = new FakeSource(ledger);
  node = await startNode({ url: server.url, ledger, source });
  await node.epochs.run();
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const lines = (channelId: string) => node.views.after(channelId, '0-0', 1_000);
const nOf = (texts: string[]) => texts.map((line) => Number(/^\d+ \S+ \d+-(\d+) /.exec(line)?.[1]));

describe('the window of an erased user', () => {
  const purge = (...channelIds: string[]) => createWindowPurge({ store: node.store, keys }).purge(leaver, channelIds);

  it('[ADMIN-46] is cut off behind the newest entry that names him, and has no gap in what it keeps', async () => {
    const channelId = source.add([owner, leaver]);
    for (const sender of [owner, leaver, owner, leaver, owner, owner]) await sendThrough(node, channelId, sender);
    await settleAll(node, ledger, channelId);
    expect(nOf(await lines(channelId))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await purge(channelId)).toEqual({ missing: [], waiting: [] });
    expect(nOf(await lines(channelId))).toEqual([5, 6]);
    expect((await lines(channelId)).join()).not.toContain(leaver);
    // Again there is nothing to do, and what follows takes the next place.
    await purge(channelId);
    expect(await sendThrough(node, channelId, owner)).toMatchObject({ place: { n: 7 } });
    expect(nOf(await lines(channelId))).toEqual([5, 6, 7]);
  });

  it('[ADMIN-47] loses no entry that Postgres does not have: it says that one waits, and is cut off when it is there', async () => {
    const channelId = source.add([owner, leaver]);
    await sendThrough(node, channelId, leaver);
    await settleAll(node, ledger, channelId);
    for (const sender of [owner, leaver]) await sendThrough(node, channelId, sender);
    expect(await purge(channelId)).toEqual({ missing: [], waiting: [channelId] });
    expect(nOf(await lines(channelId))).toEqual([2, 3]);
    await settleAll(node, ledger, channelId);
    expect(await purge(channelId)).toEqual({ missing: [], waiting: [] });
    expect(await lines(channelId)).toEqual([]);
  });

  it('goes on although others name him, in what is not in Postgres yet', async () => {
    const channelId = source.add([owner, leaver]);
    await sendThrough(node, channelId, leaver);
    await settleAll(node, ledger, channelId);
    const json = JSON.stringify({ id: randomUUID(), channelId, senderId: owner, body: '', mentions: [leaver] });
    await node.log.accept({ channelId, senderId: owner, clientMsgId: randomUUID(), messageId: randomUUID(), json });
    expect(await purge(channelId)).toEqual({ missing: [], waiting: [] });
    expect(nOf(await lines(channelId))).toEqual([2]);
  });

  it('says that the header must be loaded where it does not know how far Postgres is, and nothing where he does not occur', async () => {
    const channelId = source.add([owner, leaver]);
    const without = source.add([owner, leaver]);
    await sendThrough(node, channelId, leaver);
    await sendThrough(node, without, owner);
    for (const id of [channelId, without]) {
      await settleAll(node, ledger, id);
      await node.redis.del(headerKey(keys.stemOf(id), id));
    }
    expect(await purge(channelId, without, randomUUID())).toEqual({ missing: [channelId], waiting: [] });
    expect(await lines(without)).toHaveLength(1);
  });
});

describe('a channel that is buried', () => {
  it('[ADMIN-34] takes no message and no member, and a copy of it that was read before is not loaded in its place', async () => {
    const channelId = source.add([owner, leaver]);
    await sendThrough(node, channelId, owner);
    await createGraves({ store: node.store, keys }).bury(channelId);
    expect(await send(node, channelId, owner)).toEqual({ type: 'stranger' });
    const join = { channelId, actorId: owner, kind: 'j' as const, userId: randomUUID(), rank: 2 };
    expect(await change(node, join)).toEqual({ type: 'stranger' });
    // The source still has it: so has one who read it before it was deleted.
    expect(await node.log.load(channelId)).toBe(true);
    expect(await send(node, channelId, owner)).toEqual({ type: 'stranger' });
    expect(await lines(channelId)).toEqual([]);
    expect(await node.redis.ttl(headerKey(keys.stemOf(channelId), channelId))).toBeGreaterThan(0);
    // The deletion has a place of its own, once: nodes that compare heads notice it.
    const [view] = await node.views.views(owner, [channelId]);
    expect(view).toMatchObject({ rank: null, head: { n: 2 }, persistedN: 0 });
    await createGraves({ store: node.store, keys }).bury(channelId);
    expect((await node.views.views(owner, [channelId]))[0]).toMatchObject({ head: { n: 2 } });
  });

  it('control: without it the copy is loaded, and the channel lives on', async () => {
    const channelId = source.add([owner]);
    await sendThrough(node, channelId, owner);
    await node.redis.del(headerKey(keys.stemOf(channelId), channelId), windowKey(keys.stemOf(channelId), channelId));
    expect(await sendThrough(node, channelId, owner)).toMatchObject({ type: 'accepted' });
  });

  it('is buried also where its header was never loaded', async () => {
    const channelId = source.add([owner]);
    await createGraves({ store: node.store, keys }).bury(channelId);
    expect(await send(node, channelId, owner)).toEqual({ type: 'stranger' });
  });
});

describe('a silence', () => {
  it('[USER-14] holds from the moment that it is set, for this member alone, and ends when it is taken back', async () => {
    const channelId = source.add([owner, leaver]);
    const silence = createSilence({ store: node.store, keys, log: node.log });
    await silence({ channelId, userId: leaver, untilMs: FOR_EVER_MS });
    expect(await send(node, channelId, leaver)).toEqual({ type: 'silenced', untilMs: FOR_EVER_MS });
    expect(await send(node, channelId, owner)).toMatchObject({ type: 'accepted' });
    await silence({ channelId, userId: leaver, untilMs: 0 });
    expect(await send(node, channelId, leaver)).toMatchObject({ type: 'accepted' });
    // Nobody of that name, no such channel: nothing to do.
    await silence({ channelId, userId: randomUUID(), untilMs: FOR_EVER_MS });
    await silence({ channelId: randomUUID(), userId: leaver, untilMs: FOR_EVER_MS });
  });
});

it('[ADMIN-48] who was erased is remembered beside Postgres', async () => {
  const memory = createErasureMemory({ store: node.store, keys });
  await memory.remember(leaver, 1_000);
  await memory.remember(owner, 2_000);
  await memory.remember(leaver, 1_000);
  expect((await memory.all()).sort((a, b) => a.askedAt - b.askedAt)).toEqual([
    { userId: leaver, askedAt: 1_000 },
    { userId: owner, askedAt: 2_000 },
  ]);
});
