import { randomUUID } from 'node:crypto';
import { type ChannelView, partitionOf, type ReadCursor, unreadOf } from '@parley/domain';
import type { Position } from '@parley/protocol';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { change, FakeLedger, FakeSource, type Node, send, settleAll, startNode } from './rig.ts';

let server: RedisServer;
let node: Node;
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
const [owner, ann] = [randomUUID(), randomUUID()] as const;
const at = (n: number): Position => `${ledger.epoch}-${n}`;

beforeAll(async () => {
  server = await startRedis();
  node = await startNode({ url: server.url, ledger, source });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function channelWith(messages: number, detail = {}): Promise<string> {
  const channelId = source.add([owner, ann], detail);
  await node.log.load(channelId);
  for (let i = 0; i < messages; i++) await send(node, channelId, owner);
  return channelId;
}

async function viewOf(userId: string, channelId: string): Promise<ChannelView> {
  const [view] = await node.views.views(userId, [channelId]);
  if (!view) throw new Error('no header');
  return view;
}
const unread = async (userId: string, channelId: string) => unreadOf(await viewOf(userId, channelId));
const settle = (channelId: string, n: number, holes: { n: number; m: number }[] = []) =>
  node.drain.settle({
    partition: partitionOf(channelId),
    toEpoch: 0,
    toK: 0,
    channels: [{ channelId, upTo: { epoch: ledger.epoch, n, m: n, at: 1 }, holes, notices: [] }],
  });

describe('views', () => {
  it('come in the order asked, null where there is no header; none for none', async () => {
    const [one, two] = [await channelWith(1), await channelWith(2)];
    const views = await node.views.views(ann, [two, randomUUID(), one]);
    expect(views.map((view) => view?.head.n)).toEqual([2, undefined, 1]);
    expect(views[0]).toMatchObject({ headPosition: at(2), persistedN: 0, holes: [], version: 1, rank: 2 });
    expect(await node.views.views(ann, [])).toEqual([]);
    expect((await node.views.last([one, randomUUID()])).map((line) => typeof line)).toEqual(['string', 'object']);
  });

  it('a channel that never had an entry has no head position', async () => {
    const channelId = await channelWith(0);
    expect(await viewOf(ann, channelId)).toMatchObject({ headPosition: null, head: { n: 0 } });
  });

  it('one round trip for any number of channels', async () => {
    const channels = await Promise.all(Array.from({ length: 20 }, () => channelWith(0)));
    await node.redis.config('RESETSTAT');
    await node.views.views(ann, channels);
    const stats = await node.redis.info('commandstats');
    expect(stats).toMatch(/cmdstat_hmget:calls=20,/);
  });

  it('[PRES-25] who is in a channel is one question; above the number asked for only the count is told', async () => {
    const channelId = await channelWith(2);
    await change(node, { channelId, actorId: owner, kind: 'l', userId: ann, rank: null });
    const eve = randomUUID();
    await change(node, { channelId, actorId: owner, kind: 'j', userId: eve, rank: 2 });
    await node.redis.config('RESETSTAT');
    const head = { epoch: ledger.epoch, n: 4 };
    const found = await node.views.members(channelId, 2);
    expect(found).toMatchObject({ head, count: 2 });
    expect(found?.userIds.toSorted()).toEqual([owner, eve].sort());
    expect(await node.views.members(channelId, 1)).toMatchObject({ head, count: 2, userIds: [] });
    expect(await node.views.members(randomUUID(), 100)).toBeNull();
    expect(await node.redis.info('commandstats')).toMatch(/cmdstat_evalsha:calls=[34],/);
  });

  it('the window is read both ways', async () => {
    const channelId = await channelWith(6);
    const numbers = (lines: string[]) => lines.map((line) => Number(/-(\d+) /.exec(line)?.[1]));
    expect(numbers(await node.views.after(channelId, at(2), 2))).toEqual([3, 4]);
    expect(numbers(await node.views.before(channelId, at(4), 2))).toEqual([2, 3]);
    expect(numbers(await node.views.before(channelId, null, 2))).toEqual([5, 6]);
  });
});

describe('read', () => {
  const read = (channelId: string, n: number, counted: Pick<ReadCursor, 'counted'> = {}) =>
    node.views.read({ channelId, userId: ann, position: at(n), ...counted });

  it('[UNREAD-62] unread is what came after the cursor; one’s own message reads up to itself', async () => {
    const channelId = await channelWith(5);
    expect(await unread(ann, channelId)).toBe(5);
    expect(await unread(owner, channelId)).toBe(0);
    expect(await read(channelId, 3)).toMatchObject({ type: 'at', place: { n: 3, m: 3 }, view: { head: { n: 5 } } });
    expect(await unread(ann, channelId)).toBe(2);
    await send(node, channelId, ann);
    expect(await unread(ann, channelId)).toBe(0);
  });

  it('[UNREAD-63] a read cursor never goes back, and takes the delivered one with it', async () => {
    const channelId = await channelWith(5);
    await read(channelId, 4);
    const back = await read(channelId, 2);
    expect(back).toMatchObject({ type: 'at', place: { n: 4 } });
    expect(await node.views.cursors(channelId, [ann, randomUUID()])).toMatchObject([
      { readTo: { n: 4 }, deliveredTo: { n: 4 } },
      { readTo: null, deliveredTo: null },
    ]);
    expect(await node.views.read({ channelId, userId: ann, position: '0-0' })).toMatchObject({ place: { n: 4 } });
  });

  it('[UNREAD-63] one’s own message is delivered to oneself, too', async () => {
    const channelId = await channelWith(3);
    await send(node, channelId, ann);
    expect(await node.views.cursors(channelId, [ann])).toMatchObject([{ readTo: { n: 4 }, deliveredTo: { n: 4 } }]);
  });

  it('control: what the script refuses would be a step back', async () => {
    const channelId = await channelWith(5);
    expect(await read(channelId, 2)).toMatchObject({ type: 'at', place: { n: 2 } });
    expect(await read(channelId, 4)).toMatchObject({ type: 'at', place: { n: 4 } });
  });

  it('[UNREAD-64] entries that never came to be are not unread', async () => {
    const channelId = await channelWith(6);
    await read(channelId, 2);
    await settle(channelId, 6, [
      { n: 1, m: 1 },
      { n: 4, m: 4 },
      { n: 5, m: 0 },
    ]);
    expect(await viewOf(ann, channelId)).toMatchObject({
      persistedN: 6,
      holes: [
        { n: 1, m: 1 },
        { n: 4, m: 4 },
        { n: 5, m: 0 },
      ],
    });
    // 3, 5 and 6 are left: 4 was rejected, and the hole at 5 took no m of its own.
    expect(await unread(ann, channelId)).toBe(3);
  });

  it('a position beyond the head is refused, a stranger and a missing header are told', async () => {
    const channelId = await channelWith(2);
    expect(await read(channelId, 3)).toEqual({ type: 'ahead' });
    const position = at(1);
    expect(await node.views.read({ channelId, userId: ann, position: `${ledger.epoch + 1}-1` })).toEqual({
      type: 'ahead',
    });
    expect(await node.views.read({ channelId, userId: randomUUID(), position })).toEqual({ type: 'stranger' });
    expect(await node.views.read({ channelId: randomUUID(), userId: ann, position })).toEqual({ type: 'missing' });
  });

  it('[UNREAD-65] a position that the window has lost is counted back from the persisted mark', async () => {
    const channelId = await channelWith(230);
    await settleAll(node, ledger, channelId);
    await send(node, channelId, owner);
    const upTo = { epoch: ledger.epoch, n: 230, m: 230 };
    expect(await read(channelId, 10)).toEqual({ type: 'count', upTo });
    // Postgres has 230, of which 220 are after the 10th.
    const counted = { upTo, messages: 220 };
    expect(await read(channelId, 10, { counted })).toMatchObject({ type: 'at', place: { n: 10, m: 10 } });
    expect(await unread(ann, channelId)).toBe(221);
  });

  it('[UNREAD-65] what is settled between the count and the move changes nothing', async () => {
    const channelId = await channelWith(230);
    await settle(channelId, 225, [
      { n: 5, m: 5 },
      { n: 20, m: 20 },
    ]);
    const verdict = await read(channelId, 10);
    if (verdict.type !== 'count') throw new Error(verdict.type);
    expect(verdict.upTo).toMatchObject({ n: 225 });
    await settle(channelId, 230, [{ n: 228, m: 228 }]);
    // Of 11–225 all but 20 came to be.
    const counted = { upTo: verdict.upTo, messages: 214 };
    expect(await read(channelId, 10, { counted })).toMatchObject({ place: { n: 10, m: 10 } });
    expect(await unread(ann, channelId)).toBe(218);
  });

  it('a count of another epoch is no answer', async () => {
    const channelId = await channelWith(230);
    await settle(channelId, 230);
    const counted = { upTo: { epoch: ledger.epoch - 1, n: 500, m: 500 }, messages: 0 };
    expect(await read(channelId, 10, { counted })).toMatchObject({ type: 'count', upTo: { n: 230 } });
  });

  it('moved cursors wait until they are flushed, and wait on when they have moved again', async () => {
    const channelId = await channelWith(4);
    const partition = partitionOf(channelId);
    await read(channelId, 2);
    const rows = await node.drain.dirtyCursors(partition, 100);
    const own = rows.filter((row) => row.channelId === channelId);
    expect(own).toMatchObject([{ userId: ann, readTo: { n: 2, m: 2 }, deliveredTo: { n: 2 } }]);
    await read(channelId, 3);
    await node.drain.cursorsFlushed(partition, rows);
    const again = await node.drain.dirtyCursors(partition, 100);
    expect(again).toMatchObject([{ channelId, readTo: { n: 3 } }]);
    await node.drain.cursorsFlushed(partition, again);
    expect(await node.drain.dirtyCursors(partition, 100)).toEqual([]);
  });
});
