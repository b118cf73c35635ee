import { partitionOf } from '@parley/domain';
import type { Position } from '@parley/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../src/store.ts';
import {
  batchOf,
  change,
  created,
  type Fixture,
  makeChannel,
  makeUsers,
  member,
  openEpoch,
  openFixture,
  place,
  uuid,
} from './fixture.ts';

const channelId = uuid('channel', 1);
let fixture: Fixture;
let store: Store;
let older: number;
let epoch: number;
let userIds: string[];

/** Older epoch: messages 1–4. Newer: messages 1, 2, 5; 3 a joining, 4 superseded. */
beforeAll(async () => {
  fixture = await openFixture();
  store = fixture.store;
  userIds = await makeUsers(store, 3);
  await makeChannel(store, { id: channelId, userIds: userIds.slice(0, 1) });
  older = await openEpoch(store);
  const say = (inEpoch: number, ns: number[]) =>
    ns.map((n) => created({ channelId, place: place(inEpoch, n), senderId: user(0) }));
  await store.drain.commit(await batchOf(store, { created: say(older, [1, 2, 3, 4]) }));
  epoch = await openEpoch(store);
  const first = created({ channelId, place: place(epoch, 1), senderId: user(0) });
  await store.drain.commit(
    await batchOf(store, {
      created: [first, ...say(epoch, [2, 5]), { ...first, place: place(epoch, 4) }],
      members: [member({ channelId, userId: user(1), rank: 2, version: 2, place: place(epoch, 3), joined: true })],
      changes: [
        change({
          channelId,
          place: place(epoch, 3),
          kind: 'j',
          target: user(1),
          operationId: uuid('operation', 1),
          actorId: user(0),
        }),
      ],
      heads: [{ partition: partitionOf(channelId), channelId, place: place(epoch, 5) }],
    }),
  );
});
afterAll(() => fixture[Symbol.asyncDispose]());

const user = (i: number) => userIds[i] ?? '';
const at = (inEpoch: number, n: number): Position => `${inEpoch}-${n}`;
const positions = (items: readonly { position: Position }[]) => items.map(({ position }) => position);

describe('history', () => {
  const after = (position: Position, limit = 100) =>
    store.archive.history({ channelId, userId: user(0), after: position, limit });

  it('[RESUME-51] gives messages and changes after a position, from one snapshot with membership, version and epoch', async () => {
    const history = await after(at(older, 4));
    expect(history).toMatchObject({ epoch, member: true, version: 2, known: true, more: false });
    expect(positions(history.messages)).toEqual([at(epoch, 1), at(epoch, 2), at(epoch, 5)]);
    expect(history.changes).toMatchObject([
      { position: at(epoch, 3), kind: 'j', target: user(1), by: null, member: { userId: user(1), role: 'member' } },
      { position: at(epoch, 4), kind: 's', target: null, by: at(epoch, 1), member: null },
    ]);
  });

  it('[RESUME-52] with the changes every position up to the head is there', async () => {
    const { messages, changes } = await after(at(older, 4));
    const all = [...positions(messages), ...positions(changes)].toSorted();
    expect(all).toEqual([1, 2, 3, 4, 5].map((n) => at(epoch, n)));
  });

  it('[RESUME-53] says whether the position is one that Postgres has', async () => {
    const known = async (position: Position) => (await after(position)).known;
    expect(await known('0-0')).toBe(true);
    expect(await known(at(epoch, 2))).toBe(true);
    expect(await known(at(epoch, 3))).toBe(true);
    expect(await known(at(epoch, 4))).toBe(true);
    expect(await known(at(epoch, 6))).toBe(false);
    expect(await known(at(older, 5))).toBe(false);
  });

  it('[RESUME-54] a longer history is cut after its first entries, of both kinds together', async () => {
    const history = await after(at(epoch, 1), 2);
    expect(history.more).toBe(true);
    expect(positions(history.messages)).toEqual([at(epoch, 2)]);
    expect(positions(history.changes)).toEqual([at(epoch, 3)]);
    expect((await after(at(epoch, 1), 4)).more).toBe(false);
  });

  it('[RESUME-55] tells that the caller is no member', async () => {
    const history = await store.archive.history({ channelId, userId: user(2), after: '0-0', limit: 5 });
    expect(history.member).toBe(false);
  });
});

describe('pages', () => {
  const all = () => [...[1, 2, 3, 4].map((n) => at(older, n)), ...[1, 2, 5].map((n) => at(epoch, n))];
  const page = async (query: { before?: Position; after?: Position; around?: Position; limit: number }) => {
    const { items, hasBefore, hasAfter } = await store.archive.page({ channelId, ...query });
    return [positions(items), hasBefore, hasAfter];
  };

  it('[RESUME-56] end at the head without a position, oldest first', async () => {
    expect(await page({ limit: 3 })).toEqual([all().slice(4), true, false]);
    expect(await page({ limit: 7 })).toEqual([all(), false, false]);
  });

  it('[RESUME-57] go back and forth from a position without it, across epochs', async () => {
    expect(await page({ before: at(epoch, 1), limit: 2 })).toEqual([all().slice(2, 4), true, true]);
    expect(await page({ before: at(older, 3), limit: 2 })).toEqual([all().slice(0, 2), false, true]);
    expect(await page({ after: at(older, 3), limit: 2 })).toEqual([all().slice(3, 5), true, true]);
    expect(await page({ after: at(epoch, 2), limit: 2 })).toEqual([all().slice(6), true, false]);
    expect(await page({ after: '0-0', limit: 2 })).toEqual([all().slice(0, 2), false, true]);
  });

  it('[RESUME-58] hold the position in the middle, and more of one side where the other is short', async () => {
    expect(await page({ around: at(older, 4), limit: 3 })).toEqual([all().slice(2, 5), true, true]);
    expect(await page({ around: at(epoch, 5), limit: 3 })).toEqual([all().slice(4), true, false]);
    expect(await page({ around: at(older, 1), limit: 3 })).toEqual([all().slice(0, 3), false, true]);
  });

  it('an empty channel has one empty page', async () => {
    const query = { channelId: uuid('channel', 404), limit: 5 };
    expect(await store.archive.page(query)).toEqual({ items: [], hasBefore: false, hasAfter: false });
  });
});

describe('one message', () => {
  it('is found in its channel only, with all it carries', async () => {
    const row = {
      ...created({ channelId: uuid('channel', 7), place: place(epoch, 1), senderId: user(0), body: '' }),
      replyTo: uuid('message', 801),
      threadOf: uuid('message', 802),
      mentions: [user(1)],
      encrypted: { ciphertext: 'c', nonce: 'n', ephemeralPublicKey: 'k' },
    };
    await store.drain.commit(await batchOf(store, { created: [row] }));
    expect(await store.archive.message(row.channelId, row.id)).toEqual({
      id: row.id,
      channelId: row.channelId,
      position: at(epoch, 1),
      clientMsgId: row.clientMsgId,
      senderId: user(0),
      body: '',
      sentAt: row.place.at,
      editedAt: null,
      deletedAt: null,
      replyTo: row.replyTo,
      threadOf: row.threadOf,
      replyCount: 0,
      reactions: [],
      reactors: {},
      thread: { messageId: row.threadOf, replyCount: 1 },
      attachments: [],
      mentions: row.mentions,
      encrypted: row.encrypted,
      persisted: true,
    });
    expect(await store.archive.message(channelId, row.id)).toBeNull();
  });

  it('messages after a position are counted across epochs, up to another one', async () => {
    expect(await store.archive.countAfter(channelId, at(older, 3), at(epoch, 5))).toBe(4);
    expect(await store.archive.countAfter(channelId, at(older, 3), at(epoch, 4))).toBe(3);
    expect(await store.archive.countAfter(channelId, at(older, 1), at(epoch, 0))).toBe(3);
    expect(await store.archive.countAfter(channelId, at(epoch, 5), at(epoch, 5))).toBe(0);
  });
});

describe('[SEND-51] what became of an operation', () => {
  const outcome = (operationId: string, actorId = user(0)) =>
    store.archive.outcome({ channelId, actorId, operationId });

  it('a message: where it stands, also when its twin was superseded', async () => {
    const [message] = (await store.archive.page({ channelId, after: at(older, 4), limit: 1 })).items;
    expect(await outcome(message?.clientMsgId ?? '')).toEqual({
      type: 'persisted',
      id: message?.id,
      position: at(epoch, 1),
      at: message?.sentAt,
    });
  });

  it('a change: its own id and place', async () => {
    const id = uuid('operation', 1);
    expect(await outcome(id)).toEqual({ type: 'persisted', id, position: at(epoch, 3), at: 1_000_003 });
  });

  it('is nobody else’s to know, and null when Postgres has never seen it', async () => {
    expect(await outcome(uuid('operation', 1), user(1))).toBeNull();
    expect(await outcome(uuid('operation', 2))).toBeNull();
  });

  it('a dead letter: rejected, with the reason; but what was accepted anew stands', async () => {
    const clientMsgId = uuid('client', 700_001);
    const senderId = user(0);
    const partition = partitionOf(channelId);
    const reason = 'not storable';
    const letter = {
      partition,
      epoch,
      k: 900,
      channelId,
      place: place(epoch, 6),
      senderId,
      clientMsgId,
      line: new Uint8Array([1]),
      reason,
    };
    const hole = change({ channelId, place: place(epoch, 6), kind: 'x', operationId: clientMsgId, actorId: senderId });
    await store.drain.commit(await batchOf(store, { changes: [hole], deadLetters: [letter] }));
    expect(await outcome(clientMsgId)).toEqual({ type: 'rejected', reason });
    const anew = created({ channelId, place: place(epoch, 7), senderId, clientMsgId });
    await store.drain.commit(await batchOf(store, { created: [anew] }));
    expect(await outcome(clientMsgId)).toMatchObject({ type: 'persisted', position: at(epoch, 7) });
  });
});
