import { randomUUID } from 'node:crypto';
import { parseLine } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerKey } from '../src/keys.ts';
import { change, FakeLedger, FakeSource, keys, member, type Node, send, startNode } from './rig.ts';

let server: RedisServer;
let node: Node;
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
const [owner, moderator, ann, bob] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const;

beforeAll(async () => {
  server = await startRedis();
  node = await startNode({ url: server.url, ledger, source, backlogMaxEntries: 1_000 });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function channelOf(detail = {}): Promise<string> {
  const members = [member(owner, { rank: 5 }), member(moderator, { rank: 3 }), member(ann)];
  const channelId = source.add([], { members, ...detail });
  await node.log.load(channelId);
  return channelId;
}

const join = (channelId: string, actorId: string, userId: string) =>
  change(node, { channelId, actorId, kind: 'j', userId, rank: 2 });
const leave = (channelId: string, actorId: string, userId: string) =>
  change(node, { channelId, actorId, kind: 'l', userId, rank: null });

async function viewOf(userId: string, channelId: string) {
  const [view] = await node.views.views(userId, [channelId]);
  return view;
}

describe('change', () => {
  it('[MEMBER-61] a join takes an n and no m, and makes the next version, which the payload names first', async () => {
    const channelId = await channelOf();
    await send(node, channelId, ann);
    expect(await join(channelId, moderator, bob)).toMatchObject({ type: 'accepted', place: { n: 2, m: 1 } });
    const [, line = ''] = await node.views.after(channelId, '0-0', 10);
    expect(parseLine(line)).toMatchObject({ kind: 'j', place: { n: 2, m: 1 } });
    expect(Object.entries(JSON.parse(parseLine(line)?.json ?? ''))[0]).toEqual(['version', 2]);
    expect(await send(node, channelId, bob)).toMatchObject({ type: 'accepted', place: { n: 3, m: 2 } });
  });

  it('[UNREAD-61] what was said before somebody joined is not unread to him', async () => {
    const channelId = await channelOf();
    for (let i = 0; i < 5; i++) await send(node, channelId, ann);
    await join(channelId, owner, bob);
    expect(await viewOf(bob, channelId)).toMatchObject({
      rank: 2,
      version: 2,
      head: { n: 6, m: 5 },
      readTo: { n: 6, m: 5 },
      deliveredTo: { n: 6, m: 5 },
    });
  });

  it('[MEMBER-62] who is removed is a stranger from the next entry on', async () => {
    const channelId = await channelOf();
    expect(await leave(channelId, moderator, ann)).toMatchObject({ type: 'accepted' });
    expect(await send(node, channelId, ann)).toEqual({ type: 'stranger' });
    expect(await viewOf(ann, channelId)).toMatchObject({ rank: null, readTo: null, deliveredTo: null, version: 2 });
    expect(await node.redis.hget(headerKey(keys.stemOf(channelId), channelId), 'c')).toBe('2');
  });

  it('[MEMBER-63] a channel never has more members than its limit', async () => {
    const channelId = await channelOf({ memberLimit: 5 });
    const verdicts = await Promise.all(Array.from({ length: 8 }, () => join(channelId, moderator, randomUUID())));
    expect(verdicts.map((verdict) => verdict.type).sort()).toEqual([
      ...Array(2).fill('accepted'),
      ...Array(6).fill('full'),
    ]);
    await leave(channelId, moderator, ann);
    expect(await join(channelId, moderator, bob)).toMatchObject({ type: 'accepted' });
  });

  it('[MEMBER-64] nobody acts below the least rank, on his equals or betters, or raises anybody above himself', async () => {
    const channelId = await channelOf();
    expect(await join(channelId, ann, bob)).toEqual({ type: 'forbidden' });
    expect(await join(channelId, bob, bob)).toEqual({ type: 'stranger' });
    expect(await leave(channelId, moderator, owner)).toEqual({ type: 'forbidden' });
    const raise = { channelId, actorId: moderator, kind: 'u' as const };
    expect(await change(node, { ...raise, userId: ann, rank: 4 })).toEqual({ type: 'forbidden' });
    expect(await change(node, { ...raise, userId: moderator, rank: 4 })).toEqual({ type: 'forbidden' });
    expect(await change(node, { ...raise, userId: ann, rank: 3 })).toMatchObject({ type: 'accepted' });
    expect(await leave(channelId, moderator, ann)).toEqual({ type: 'forbidden' });
    expect(await leave(channelId, moderator, moderator)).toMatchObject({ type: 'accepted' });
    expect(await leave(channelId, moderator, ann)).toEqual({ type: 'stranger' });
  });

  it('[MEMBER-65] a change that changes nothing writes nothing', async () => {
    const channelId = await channelOf();
    expect(await join(channelId, moderator, ann)).toEqual({ type: 'unchanged' });
    expect(await join(channelId, moderator, owner)).toEqual({ type: 'unchanged' });
    expect(await leave(channelId, moderator, bob)).toEqual({ type: 'unchanged' });
    const detail = { channelId, actorId: owner, kind: 'u' as const };
    expect(await change(node, { ...detail, userId: ann, rank: 2 })).toEqual({ type: 'unchanged' });
    expect(await change(node, { ...detail, userId: bob, rank: 2 })).toEqual({ type: 'stranger' });
    expect(await viewOf(owner, channelId)).toMatchObject({ head: { n: 0 }, version: 1 });
  });

  it('another rank keeps the silence', async () => {
    const until = Date.now() + 60_000;
    const channelId = await channelOf({
      members: [member(owner, { rank: 5 }), member(ann, { silencedUntilMs: until })],
    });
    expect(await change(node, { channelId, actorId: owner, kind: 'u', userId: ann, rank: 1 })).toMatchObject({
      type: 'accepted',
    });
    expect(await send(node, channelId, ann)).toEqual({ type: 'silenced', untilMs: until });
    expect(await viewOf(ann, channelId)).toMatchObject({ rank: 1 });
  });

  it('[MEMBER-115] who joins is silenced when his entry says so, else not', async () => {
    const until = Date.now() + 60_000;
    const channelId = await channelOf();
    const self = { channelId, actorId: bob, kind: 'j' as const, userId: bob, rank: 2, admitted: true };
    expect(await change(node, { ...self, silencedUntil: until })).toMatchObject({ type: 'accepted' });
    expect(await send(node, channelId, bob)).toEqual({ type: 'silenced', untilMs: until });
    await leave(channelId, moderator, bob);
    expect(await join(channelId, moderator, bob)).toMatchObject({ type: 'accepted' });
    expect(await send(node, channelId, bob)).toMatchObject({ type: 'accepted' });
  });

  it('[MEMBER-115] who left silenced is so when he joins, also while Postgres has heard of neither; who is added is not', async () => {
    const [until, later] = [Date.now() + 60_000, Date.now() + 120_000];
    const channelId = await channelOf();
    const self = { channelId, actorId: ann, userId: ann, leastRank: 1 };
    const joins = { ...self, kind: 'j' as const, rank: 2, admitted: true };
    const silence = { channelId, actorId: owner, kind: 'u' as const, userId: ann, rank: null, silencedUntil: until };
    await change(node, silence);
    const payload = async () => {
      const line = (await node.views.after(channelId, '0-0', 100)).map(parseLine).at(-1);
      return JSON.parse(line?.json ?? '');
    };
    expect(await payload()).toMatchObject({ silencedUntil: until });
    await change(node, { ...self, kind: 'l', rank: null });
    expect(await payload()).not.toHaveProperty('silencedUntil');
    expect(await change(node, joins)).toMatchObject({ type: 'accepted' });
    expect(await payload()).toMatchObject({ silencedUntil: until });
    expect(await send(node, channelId, ann)).toEqual({ type: 'silenced', untilMs: until });
    // Of two the longer one.
    await change(node, { ...self, kind: 'l', rank: null });
    expect(await change(node, { ...joins, silencedUntil: later })).toMatchObject({ type: 'accepted' });
    expect(await payload()).toMatchObject({ silencedUntil: later });
    expect(await send(node, channelId, ann)).toEqual({ type: 'silenced', untilMs: later });
    await leave(channelId, moderator, ann);
    await join(channelId, moderator, ann);
    expect(await payload()).not.toHaveProperty('silencedUntil');
    expect(await send(node, channelId, ann)).toMatchObject({ type: 'accepted' });
    // The moderator's decision holds when he leaves and joins again.
    await change(node, { ...self, kind: 'l', rank: null });
    await change(node, joins);
    expect(await send(node, channelId, ann)).toMatchObject({ type: 'accepted' });
  });

  it('[DEDUP-64] the same change again gets the first answer, also from somebody who has left since', async () => {
    const channelId = await channelOf();
    const detail = { channelId, actorId: ann, kind: 'l' as const, userId: ann, rank: null, leastRank: 1 };
    const operationId = randomUUID();
    const first = await change(node, { ...detail, operationId });
    expect(first).toMatchObject({ type: 'accepted', place: { n: 1 } });
    expect(await change(node, { ...detail, operationId })).toMatchObject({
      type: 'duplicate',
      id: operationId,
      place: { n: 1 },
    });
    expect(await change(node, detail)).toEqual({ type: 'stranger' });
  });
});
