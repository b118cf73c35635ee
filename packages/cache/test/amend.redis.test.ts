import { randomUUID } from 'node:crypto';
import { type Amendment, type Known, parseLine, partitionOf } from '@parley/domain';
import type { Position } from '@parley/protocol';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisHeaderRegister } from '../src/index.ts';
import { epochKey, headerKey, statesKey } from '../src/keys.ts';
import { FakeLedger, FakeSource, keys, member, type Node, putEpochBack, send, settleAll, startNode } from './rig.ts';

let server: RedisServer;
let node: Node;
const ledger = new FakeLedger();
const source = new FakeSource(ledger);
const [owner, ann, bob] = [randomUUID(), randomUUID(), randomUUID()] as const;

beforeAll(async () => {
  server = await startRedis();
  node = await startNode({ url: server.url, ledger, source });
  await node.epochs.run();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function channelOf(): Promise<string> {
  const channelId = source.add([], { members: [member(owner, { rank: 5 }), member(ann), member(bob)] });
  await node.log.load(channelId);
  return channelId;
}

async function said(channelId: string, senderId = ann) {
  const verdict = await send(node, channelId, senderId);
  if (verdict.type !== 'accepted') throw new Error(verdict.type);
  const { epoch, n } = verdict.place;
  const messageId = randomUUID();
  const position: Position = `${epoch}-${n}`;
  const state = { senderId, position, threadOf: null, body: 'hello', editedAt: null, deletedAt: null };
  const known: Known = { epoch, states: { [messageId]: { ...state, reactors: {}, replyCount: 0 } } };
  return { messageId, position, known };
}

function amend([channelId, actorId]: readonly [string, string], change: Amendment['change'], known?: Known) {
  const operationId = randomUUID();
  const json = JSON.stringify({ id: operationId, channelId, actorId });
  return node.log.amend({ channelId, actorId, operationId, leastRank: 3, change, json, ...(known && { known }) });
}

const payloadAt = async (channelId: string, n: number) => {
  const lines = (await node.views.after(channelId, '0-0', 100)).map(parseLine);
  return JSON.parse(lines.find((line) => line?.place.n === n)?.json ?? '');
};

describe('a change of a message', () => {
  it('[EDIT-5] is unknown until what it is about is told once, and not taken from another epoch', async () => {
    const channelId = await channelOf();
    const { messageId, position, known } = await said(channelId);
    const edit = { kind: 'e', messageId, body: 'better' } as const;
    expect(await amend([channelId, ann], edit)).toEqual({ type: 'unknown' });
    expect(await amend([channelId, ann], edit, { ...known, epoch: known.epoch - 1 })).toEqual({ type: 'unknown' });
    expect(await amend([channelId, ann], edit, known)).toMatchObject({ type: 'accepted', place: { n: 2, m: 1 } });
    // From here on it is known, and what is told no longer counts.
    const older = {
      epoch: known.epoch,
      states: { [messageId]: { ...known.states[messageId], senderId: bob } },
    } as Known;
    expect(await amend([channelId, bob], { ...edit, body: 'worse' }, older)).toEqual({ type: 'forbidden' });
    const [[state]] = (await node.views.states([
      { channelId, since: { epoch: node.epochs.current.epoch, n: 2 }, ids: [messageId] },
    ])) as [[object]];
    expect(state).toMatchObject({ senderId: ann, position, body: 'better' });
    expect(await payloadAt(channelId, 2)).toMatchObject({ state: { body: 'better', reactors: {} }, actorId: ann });
  });

  it('writes nothing in an epoch that is over', async () => {
    const channelId = await channelOf();
    const { messageId, known } = await said(channelId);
    const stem = keys.stemOf(channelId);
    await node.redis.set(epochKey(stem), 1);
    expect(await amend([channelId, ann], { kind: 'd', messageId }, known)).toEqual({ type: 'epoch' });
    await putEpochBack(node, stem, known.epoch);
    expect(await node.redis.exists(statesKey(stem, channelId))).toBe(0);
  });

  it('[JOB-4] a reply that was changed can still be deleted when retention has removed what it replied to', async () => {
    const channelId = await channelOf();
    const { messageId: parent, known: above, position: removed } = await said(channelId);
    const { messageId, known } = await said(channelId, bob);
    const alone = known.states[messageId];
    const states = { ...above.states, [messageId]: { ...alone, threadOf: parent } };
    const told = { epoch: known.epoch, states } as Known;
    await amend([channelId, ann], { kind: 'r', messageId: parent, emoji: '👍', added: true }, told);
    await amend([channelId, ann], { kind: 'r', messageId, emoji: '👍', added: true }, told);
    await new RedisHeaderRegister({ store: node.store, keys }).trimWindow(channelId, removed);
    const gone = { kind: 'd', messageId } as const;
    expect(await amend([channelId, bob], gone)).toEqual({ type: 'unknown' });
    expect(await amend([channelId, bob], gone, known)).toMatchObject({ type: 'accepted', place: { n: 5 } });
    expect(await payloadAt(channelId, 5)).not.toHaveProperty('thread');
  });

  it('a deletion and its thread’s count are one step; the header remembers what no longer counts as unread', async () => {
    const channelId = await channelOf();
    const { messageId: parent, known: above } = await said(channelId);
    const { messageId, position, known } = await said(channelId, bob);
    const states = { ...above.states, [messageId]: { ...known.states[messageId], threadOf: parent } };
    const told = { epoch: known.epoch, states: { ...states, [parent]: { ...above.states[parent], replyCount: 4 } } };
    const withoutParent = { epoch: known.epoch, states: { [messageId]: states[messageId] } } as Known;
    const gone = { kind: 'd', messageId } as const;
    expect(await amend([channelId, ann], gone, told as Known)).toEqual({ type: 'forbidden' });
    expect(await amend([channelId, bob], gone, withoutParent)).toEqual({ type: 'unknown' });
    expect(await amend([channelId, bob], gone, told as Known)).toMatchObject({
      type: 'accepted',
      place: { n: 3, m: 2 },
    });
    expect(await payloadAt(channelId, 3)).toMatchObject({ thread: { messageId: parent, replyCount: 3 } });
    const [view] = await node.views.views(ann, [channelId]);
    expect(view).toMatchObject({ deleted: [position], amended: true });
    expect(await amend([channelId, owner], gone)).toMatchObject({ type: 'gone', place: { n: 3 } });
  });

  it('a new epoch begins without states: Postgres has them, or they were lost', async () => {
    const channelId = await channelOf();
    const { messageId, known } = await said(channelId);
    await amend([channelId, ann], { kind: 'r', messageId, emoji: '👍', added: true }, known);
    await settleAll(node, ledger, channelId);
    const stem = keys.stemOf(channelId);
    await node.redis.hset(headerKey(stem, channelId), 's', `${known.epoch - 1}-1 1 1`);
    await node.log.load(channelId);
    expect(await node.redis.exists(statesKey(stem, channelId))).toBe(0);
  });
});

describe('many states', () => {
  async function crowded(at: number) {
    const channelId = await channelOf();
    const { messageId, known } = await said(channelId);
    await amend([channelId, ann], { kind: 'r', messageId, emoji: '👍', added: true }, known);
    const states = statesKey(keys.stemOf(channelId), channelId);
    for (let i = 0; i < 200; i++)
      await node.redis.hset(states, `old${i}`, JSON.stringify({ place: `${known.epoch}-1 1 ${at}` }));
    const { messageId: waits, known: more } = await said(channelId);
    await settleAll(node, ledger, channelId);
    await amend([channelId, ann], { kind: 'r', messageId: waits, emoji: '👍', added: true }, more);
    return { channelId, states, messageId, waits };
  }

  it('[EDIT-6] those go that Postgres has had for a minute', async () => {
    const { channelId, states, messageId, waits } = await crowded(1);
    await settleAgain(channelId);
    expect((await node.redis.hkeys(states)).sort()).toEqual([messageId, waits].sort());
  });

  it('[EDIT-6] control: younger ones stay', async () => {
    const { channelId, states } = await crowded(Date.now() + 60_000);
    await settleAgain(channelId);
    expect(await node.redis.hlen(states)).toBe(202);
  });

  /** As when a settlement comes twice: nothing new is settled. */
  async function settleAgain(channelId: string) {
    const [view] = await node.views.views(ann, [channelId]);
    const { epoch, persistedN } = view ?? { epoch: 0, persistedN: 0 };
    const upTo = { epoch, n: persistedN, m: 2, at: 1 };
    const channels = [{ channelId, upTo, holes: [], notices: [] }];
    await node.drain.settle({ partition: partitionOf(channelId), toEpoch: epoch, toK: -1, channels });
  }
});

describe('mentions', () => {
  it('are kept for members until they are read, and never for others', async () => {
    const channelId = await channelOf();
    const mention = async () => {
      const json = JSON.stringify({ id: randomUUID() });
      const ids = { senderId: ann, clientMsgId: randomUUID(), messageId: randomUUID() };
      return node.log.accept({ channelId, ...ids, json, mentions: [bob, ann, randomUUID()] });
    };
    const first = await mention();
    await mention();
    const positions = async (userId: string) => (await node.views.views(userId, [channelId]))[0]?.mentions;
    expect(await positions(bob)).toHaveLength(2);
    expect(await positions(ann)).toEqual([]);
    const fields = await node.redis.hkeys(headerKey(keys.stemOf(channelId), channelId));
    expect(fields.filter((field) => field.startsWith('@:'))).toEqual([`@:${bob}`]);
    if (first.type !== 'accepted') throw new Error(first.type);
    const read = { channelId, userId: bob, position: `${first.place.epoch}-${first.place.n}` as Position };
    await node.views.read(read);
    expect(await positions(bob)).toHaveLength(1);
  });
});
