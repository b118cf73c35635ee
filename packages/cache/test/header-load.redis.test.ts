import { randomUUID } from 'node:crypto';
import { formatPlace, partitionOf, unreadOf } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { headerKey, logKey, windowKey } from '../src/keys.ts';
import { FakeLedger, FakeSource, keys, member, type Node, send, sendThrough, settleAll, startNode } from './rig.ts';

let server: RedisServer;
let node: Node;
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
const [owner, ann] = [randomUUID(), randomUUID()] as const;

beforeAll(async () => {
  server = await startRedis();
  node = await startNode({ url: server.url, ledger, source, patienceMs: 200 });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

// What one test leaves in a partition would hold the headers of another's channels back.
afterEach(async () => {
  const logs = keys.stems.map(logKey);
  await node.redis.del(...logs);
});

const header = (channelId: string) => headerKey(keys.stemOf(channelId), channelId);
const window = (channelId: string) => windowKey(keys.stemOf(channelId), channelId);
/** A new epoch, as after a loss; the log keeps what is in it. */
async function newEpoch() {
  ledger.restored = true;
  await node.log.renew();
}

describe('header load', () => {
  it('[EPOCH-69] waits for the entries of older epochs, and rings for them', async () => {
    const channelId = source.add([owner]);
    await sendThrough(node, channelId, owner);
    await newEpoch();
    expect(await send(node, channelId, owner)).toEqual({ type: 'missing' });
    node.rung.length = 0;
    await expect(node.log.load(channelId)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
    expect(new Set(node.rung)).toEqual(new Set([partitionOf(channelId)]));
    await settleAll(node, ledger, channelId);
    expect(await node.log.load(channelId)).toBe(true);
  });

  it('control: a header that is loaded too early counts too few messages', async () => {
    const channelId = source.add([owner, ann]);
    await sendThrough(node, channelId, owner);
    await newEpoch();
    // Postgres does not have the message yet, so its head says m = 0; afterwards it would say 1.
    const early = source.channels.get(channelId);
    await settleAll(node, ledger, channelId);
    expect(early?.head).toBeNull();
    await node.log.load(channelId);
    const [view] = await node.views.views(ann, [channelId]);
    expect(view && unreadOf(view)).toBe(0);
  });

  it('keeps a header of the same epoch: it is newer than anything Postgres has', async () => {
    const channelId = source.add([owner]);
    await node.log.load(channelId);
    await send(node, channelId, owner);
    const before = await node.redis.hgetall(header(channelId));
    source.channels.set(channelId, {
      version: 9,
      memberLimit: 1,
      holes: [],
      head: null,
      members: [],
      archivedAt: null,
      deleted: [],
    });
    expect(await node.log.load(channelId)).toBe(true);
    expect(await node.redis.hgetall(header(channelId))).toEqual(before);
  });

  it('refuses a snapshot of another epoch', async () => {
    const channelId = source.add([owner]);
    const behind = { header: async () => ({ ...source.channels.get(channelId), epoch: 1 }) as never };
    await using other = await startNode({ url: server.url, ledger, source: behind });
    await other.epochs.run();
    await expect(other.log.load(channelId)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await node.redis.exists(header(channelId))).toBe(0);
  });

  it('[UNREAD-66] m goes on from Postgres’ head, and each cursor’s m is counted: unread is right in a new epoch', async () => {
    const e = ledger.epoch;
    const readTo = { position: `${e - 1}-30` as const, at: 5 };
    const channelId = source.add([], {
      version: 4,
      head: { position: `${e - 1}-40`, m: 33, at: 9 },
      members: [member(owner, { rank: 5, readTo, deliveredTo: readTo, unread: 0 }), member(ann, { unread: 7 })],
    });
    await node.log.load(channelId);
    const [view] = await node.views.views(ann, [channelId]);
    expect(view).toMatchObject({
      head: { epoch: e, n: 0, m: 33, at: 9 },
      headPosition: `${e - 1}-40`,
      persistedN: 0,
      version: 4,
      readTo: { epoch: 0, n: 0, m: 26 },
    });
    expect(view && unreadOf(view)).toBe(7);
    await send(node, channelId, owner);
    const [next] = await node.views.views(ann, [channelId]);
    expect(next).toMatchObject({ head: { n: 1, m: 34 }, headPosition: `${e}-1` });
    expect(next && unreadOf(next)).toBe(8);
    expect(await node.views.cursors(channelId, [owner])).toMatchObject([{ readTo: { epoch: e, n: 1, m: 34 } }]);
  });

  it('[ORD-62] a header that returns within its epoch goes on after its head', async () => {
    const channelId = source.add([owner]);
    await node.log.load(channelId);
    for (let i = 0; i < 3; i++) await send(node, channelId, owner);
    const [view] = await node.views.views(owner, [channelId]);
    const place = view?.head ?? { epoch: 0, n: 0, m: 0, at: 0 };
    await settleAll(node, ledger, channelId);
    await node.redis.del(header(channelId), window(channelId));
    const found = source.channels.get(channelId);
    if (!found) throw new Error('no channel');
    source.channels.set(channelId, { ...found, head: { position: `${place.epoch}-3`, m: 3, at: place.at } });
    await node.log.load(channelId);
    const [back] = await node.views.views(owner, [channelId]);
    expect(back && formatPlace(back.head)).toBe(formatPlace(place));
    expect(back).toMatchObject({ persistedN: 3, headPosition: `${place.epoch}-3` });
    expect(await send(node, channelId, owner)).toMatchObject({ place: { n: 4, m: 4 } });
  });

  it('[UNREAD-100] a header that returns within its epoch knows its holes, and counts none of them twice', async () => {
    const channelId = source.add([owner, ann]);
    await node.log.load(channelId);
    for (let i = 0; i < 3; i++) await send(node, channelId, owner);
    const [first] = await node.views.views(owner, [channelId]);
    const head = first?.head ?? { epoch: 0, n: 0, m: 0, at: 0 };
    const settled = {
      partition: partitionOf(channelId),
      toEpoch: head.epoch,
      toK: 2,
      channels: [{ channelId, upTo: head, holes: [{ n: 2, m: 2 }], notices: [] }],
    };
    await node.drain.settle(settled);
    await node.redis.del(header(channelId));
    const found = source.channels.get(channelId);
    if (!found) throw new Error('no channel');
    const members = found.members.map((one) => ({ ...one, unread: one.userId === ann ? 2 : 0 }));
    const position = `${head.epoch}-3` as const;
    source.channels.set(channelId, { ...found, head: { position, m: 3, at: head.at }, holes: [2], members });
    await node.log.load(channelId);
    // A worker that died before it could settle is made up for: nothing is known twice.
    await node.drain.settle(settled);
    const [back] = await node.views.views(ann, [channelId]);
    expect(back).toMatchObject({ persistedN: 3, holes: [{ n: 2 }] });
    expect(back && unreadOf(back)).toBe(2);
    // What came to nothing is no line that a reader of the window takes for a message.
    expect(await node.views.after(channelId, `${head.epoch}-0`, 10)).toEqual([]);
    await send(node, channelId, owner);
    const read = { channelId, userId: ann, position: `${head.epoch}-1` as const };
    const verdict = await node.views.read(read);
    if (verdict.type !== 'count') throw new Error(verdict.type);
    // Postgres has one message after it, up to the mark.
    const moved = await node.views.read({ ...read, counted: { upTo: verdict.upTo, messages: 1 } });
    expect(moved.type === 'at' && unreadOf(moved.view)).toBe(2);
  });

  it('[ORD-63] entries that Postgres has not yet keep their n when only the header is lost', async () => {
    const channelId = source.add([owner]);
    await node.log.load(channelId);
    for (let i = 0; i < 3; i++) await send(node, channelId, owner);
    await node.redis.del(header(channelId));
    expect(await sendThrough(node, channelId, owner)).toMatchObject({ type: 'accepted', place: { n: 4, m: 4 } });
    const [view] = await node.views.views(owner, [channelId]);
    expect(view?.persistedN).toBe(0);
  });

  it('what a restored Postgres has lost leaves the window', async () => {
    const channelId = source.add([owner]);
    await node.log.load(channelId);
    for (let i = 0; i < 4; i++) await send(node, channelId, owner);
    await settleAll(node, ledger, channelId);
    const old = ledger.epoch;
    await newEpoch();
    const found = source.channels.get(channelId);
    if (!found) throw new Error('no channel');
    source.channels.set(channelId, { ...found, head: { position: `${old}-2`, m: 2, at: 1 } });
    await node.log.load(channelId);
    const lines = await node.views.after(channelId, '0-0', 10);
    expect(lines.map((line) => line.split(' ')[2])).toEqual([`${old}-1`, `${old}-2`]);
  });

  it('[OPS-31] a header that is in doubt about what came before says so in every view', async () => {
    const channelId = source.add([owner]);
    const found = source.channels.get(channelId);
    if (!found) throw new Error('no channel');
    const doubtful = async () => (await node.views.views(owner, [channelId]))[0]?.doubtful;
    await node.log.load(channelId);
    expect(await doubtful()).toBeUndefined();
    await newEpoch();
    source.channels.set(channelId, { ...found, doubtful: true });
    await node.log.load(channelId);
    expect(await doubtful()).toBe(true);
  });

  it('single flight per channel: many callers, one question to Postgres', async () => {
    const channelId = source.add([owner]);
    source.asked = 0;
    await Promise.all(Array.from({ length: 30 }, () => node.log.load(channelId)));
    expect(source.asked).toBe(1);
  });

  it('10,000 members fit', async () => {
    const members = Array.from({ length: 10_000 }, () => member(randomUUID()));
    const channelId = source.add([], { memberLimit: 10_000, members });
    expect(await node.log.load(channelId)).toBe(true);
    const views = await Promise.all(
      members.filter((_, i) => i % 1_000 === 0).map(({ userId }) => node.views.views(userId, [channelId])),
    );
    expect(views.flat().every((view) => view?.rank === 2 && view.readTo?.n === 0)).toBe(true);
    expect(await send(node, channelId, members.at(-1)?.userId ?? '')).toMatchObject({ type: 'accepted' });
  });
});
