import { randomUUID } from 'node:crypto';
import { parseLine } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerKey, headerKey } from '../src/keys.ts';
import { FakeLedger, FakeSource, keys, member, type Node, send, sendThrough, settleAll, startNode } from './rig.ts';

let server: RedisServer;
let node: Node;
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
const [owner, ann, bob] = [randomUUID(), randomUUID(), randomUUID()] as const;

beforeAll(async () => {
  server = await startRedis();
  node = await startNode({ url: server.url, ledger, source, backlogMaxEntries: 300 });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** A channel whose header is loaded. */
async function channelOf(users: readonly string[], detail = {}): Promise<string> {
  const channelId = source.add(users, detail);
  expect(await node.log.load(channelId)).toBe(true);
  return channelId;
}

describe('accept', () => {
  it('[ORD-61] positions are dense from 1 within an epoch, and time never falls', async () => {
    const channelId = await channelOf([owner, ann]);
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => send(node, channelId, ann)));
    const places = verdicts.map((verdict) => (verdict.type === 'accepted' ? verdict.place : null));
    expect(places.map((place) => place?.n)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(places.every((place) => place?.epoch === ledger.epoch && place.m === place.n)).toBe(true);
    const times = places.map((place) => place?.at ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(node.log.epochOf(channelId)).toBe(ledger.epoch);
  });

  it('[SEND-61] the payload is logged, kept in the window and published unchanged, behind its place', async () => {
    const channelId = await channelOf([owner]);
    const json = '{"id":"x","body":"ünï \\"{}\\" %1"}';
    const verdict = await node.log.accept({ channelId, senderId: owner, clientMsgId: 'c', messageId: 'x', json });
    const place = verdict.type === 'accepted' ? verdict.place : null;
    const [line = ''] = await node.views.last([channelId]);
    expect(parseLine(line ?? '')).toEqual({ v: 1, kind: 'c', place, json });
    expect(await node.views.after(channelId, '0-0', 10)).toEqual([line]);
  });

  it('[SEND-70] a send moves its sender to its own place: read, and so delivered', async () => {
    const channelId = await channelOf([owner, ann]);
    const verdict = await send(node, channelId, ann);
    const place = verdict.type === 'accepted' ? verdict.place : null;
    const [view] = await node.views.views(ann, [channelId]);
    expect(view).toMatchObject({ readTo: place, deliveredTo: place });
    expect(await node.views.cursors(channelId, [ann])).toEqual([{ readTo: place, deliveredTo: place }]);
    const all = await node.views.allCursors(channelId);
    expect(all).toContainEqual({ userId: ann, readTo: place, deliveredTo: place });
    expect(all.find(({ userId }) => userId === owner)?.readTo).toMatchObject({ n: 0 });
    // What was delivered of older messages does not put him back.
    const epoch = node.log.epochOf(channelId);
    await send(node, channelId, owner);
    await send(node, channelId, ann);
    await node.views.delivered({ channelId, userId: ann, position: `${epoch}-2` });
    expect((await node.views.cursors(channelId, [ann]))[0]?.deliveredTo).toMatchObject({ n: 3 });
    await send(node, channelId, owner);
    await node.views.delivered({ channelId, userId: ann, position: `${epoch}-4` });
    expect((await node.views.cursors(channelId, [ann]))[0]).toMatchObject({ readTo: { n: 3 }, deliveredTo: { n: 4 } });
  });

  it('says whether nobody has rung for the partition yet', async () => {
    const channelId = await channelOf([owner]);
    await settleAll(node, ledger, channelId);
    expect(await send(node, channelId, owner)).toMatchObject({ first: true });
    expect(await send(node, channelId, owner)).toMatchObject({ first: false });
  });

  it('[DEDUP-61] the same operation gets the same answer and takes no second position', async () => {
    const channelId = await channelOf([owner, ann]);
    const draft = { channelId, senderId: ann, clientMsgId: randomUUID(), messageId: randomUUID(), json: '{}' };
    const first = await node.log.accept(draft);
    const again = await node.log.accept({ ...draft, messageId: randomUUID() });
    expect(first.type).toBe('accepted');
    expect(again).toEqual({
      type: 'duplicate',
      id: draft.messageId,
      place: first.type === 'accepted' ? first.place : null,
      settled: false,
    });
    expect(await node.views.after(channelId, '0-0', 10)).toHaveLength(1);
  });

  it('[DEDUP-62] the answer names channel and sender: the same id elsewhere is another operation', async () => {
    const channels = await Promise.all([channelOf([owner, ann]), channelOf([owner, ann])]);
    const clientMsgId = randomUUID();
    for (const channelId of channels) {
      expect(await send(node, channelId, [ann, clientMsgId])).toMatchObject({ type: 'accepted' });
      expect(await send(node, channelId, [owner, clientMsgId])).toMatchObject({ type: 'accepted' });
    }
  });

  it('[DEDUP-63] a duplicate is settled once Postgres has passed it, and only then', async () => {
    const channelId = await channelOf([owner]);
    const ids = [randomUUID(), randomUUID()];
    await send(node, channelId, [owner, ids[0]]);
    await settleAll(node, ledger, channelId);
    await send(node, channelId, [owner, ids[1]]);
    expect(await send(node, channelId, [owner, ids[0]])).toMatchObject({ type: 'duplicate', settled: true });
    expect(await send(node, channelId, [owner, ids[1]])).toMatchObject({ type: 'duplicate', settled: false });
  });

  it('a forgotten answer is accepted anew; another one than named is kept', async () => {
    const channelId = await channelOf([owner]);
    const operationId = randomUUID();
    await send(node, channelId, [owner, operationId]);
    const operation = { channelId, actorId: owner, operationId };
    await node.log.forgetAnswer({ ...operation, position: `${ledger.epoch}-2` });
    expect(await send(node, channelId, [owner, operationId])).toMatchObject({ type: 'duplicate' });
    await node.log.forgetAnswer({ ...operation, position: `${ledger.epoch}-1` });
    expect(await send(node, channelId, [owner, operationId])).toMatchObject({ type: 'accepted', place: { n: 2 } });
    const ttl = await node.redis.ttl(answerKey(keys.stemOf(channelId), operation));
    expect(ttl).toBeGreaterThan(3_500);
  });

  it('[SEND-62] a stranger is refused, whatever hexadecimal digit his id begins with; a member never is', async () => {
    const digits = [...'0123456789abcdef'];
    const members = digits.map((digit) => digit + randomUUID().slice(1));
    const channelId = await channelOf(members);
    for (const [i, digit] of digits.entries()) {
      expect(await send(node, channelId, members[i] ?? ''), digit).toMatchObject({ type: 'accepted' });
      expect(await send(node, channelId, digit + randomUUID().slice(1)), digit).toEqual({ type: 'stranger' });
    }
    const [view] = await node.views.views(members[13] ?? '', [channelId]);
    expect(view).toMatchObject({ rank: 2, head: { n: 16 }, readTo: { n: 14 } });
  });

  it('[SEND-63] a silenced member is refused until his time is over, and told how long', async () => {
    const until = Date.now() + 60_000;
    const members = [
      member(owner, { rank: 5 }),
      member(ann, { silencedUntilMs: until }),
      member(bob, { silencedUntilMs: 1_000 }),
    ];
    const channelId = await channelOf([], { members });
    expect(await send(node, channelId, ann)).toEqual({ type: 'silenced', untilMs: until });
    expect(await send(node, channelId, bob)).toMatchObject({ type: 'accepted' });
  });

  it('a rank below the least one may not send', async () => {
    const channelId = await channelOf([], { members: [member(ann, { rank: 0 })] });
    expect(await send(node, channelId, ann)).toEqual({ type: 'forbidden' });
  });

  it('[LIMIT-61] a partition that is full refuses, and takes again when it is drained', async () => {
    const channelId = await channelOf([owner]);
    await settleAll(node, ledger, channelId);
    for (let i = 0; i < 300; i++) expect(await send(node, channelId, owner)).toMatchObject({ type: 'accepted' });
    const refused = randomUUID();
    expect(await send(node, channelId, [owner, refused])).toEqual({ type: 'backpressure' });
    await settleAll(node, ledger, channelId);
    expect(await send(node, channelId, [owner, refused])).toMatchObject({ type: 'accepted', place: { n: 301 } });
  });

  it('a channel without a header of this epoch is missing, one that does not exist cannot be loaded', async () => {
    const channelId = source.add([owner]);
    expect(await send(node, channelId, owner)).toEqual({ type: 'missing' });
    expect(await sendThrough(node, channelId, owner)).toMatchObject({ type: 'accepted' });
    expect(await node.log.load(randomUUID())).toBe(false);
  });

  it('[SEND-64] one send is one round trip: one EVALSHA and nothing else', async () => {
    const channelId = await channelOf([owner]);
    await send(node, channelId, owner);
    const script = await scriptCommands(channelId);
    await node.redis.config('RESETSTAT');
    for (let i = 0; i < 20; i++) await send(node, channelId, owner);
    const calls = await commandCalls();
    // What the script itself calls is counted, too: nothing else may be there.
    expect(calls.get('evalsha')).toBe(20);
    expect(
      [...calls.keys()].filter((name) => !script.has(name.replace(/\|.*/, '')) && !name.startsWith('config')),
    ).toEqual(['evalsha']);
    for (const count of calls.values()) expect(count).toBeLessThanOrEqual(40);
  });
});

async function commandCalls(): Promise<Map<string, number>> {
  const stats = await node.redis.info('commandstats');
  return new Map(
    [...stats.matchAll(/^cmdstat_([\w|]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
}

/** The commands that accept.lua names, seen from its text. */
async function scriptCommands(channelId: string): Promise<Set<string>> {
  expect(await node.redis.exists(headerKey(keys.stemOf(channelId), channelId))).toBe(1);
  const text = node.epochs.current.scripts.accept.text;
  return new Set([...text.matchAll(/call\('(\w+)'/g)].map(([, name = '']) => name.toLowerCase()));
}
