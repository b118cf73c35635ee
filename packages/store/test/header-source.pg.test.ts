import { partitionOf, RANKS } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../src/store.ts';
import {
  batchOf,
  change,
  created,
  type Fixture,
  makeChannel,
  makeUsers,
  openEpoch,
  openFixture,
  place,
  uuid,
} from './fixture.ts';

let fixture: Fixture;
let store: Store;
let epoch: number;
beforeAll(async () => {
  fixture = await openFixture();
  store = fixture.store;
});
afterAll(() => fixture[Symbol.asyncDispose]());

describe('a channel’s header', () => {
  const channelId = uuid('channel', 1);
  let userIds: string[];
  beforeAll(async () => {
    userIds = await makeUsers(store, 4);
    await makeChannel(store, { id: channelId, userIds });
    const older = await openEpoch(store);
    const say = (inEpoch: number, ns: number[]) =>
      ns.map((n) => created({ channelId, place: place(inEpoch, n), senderId: userIds[3] ?? '' }));
    await store.drain.commit(await batchOf(store, { created: say(older, [1, 2, 3]) }));
    epoch = await openEpoch(store);
    await store.drain.commit(
      await batchOf(store, {
        created: say(epoch, [1, 3]),
        changes: [change({ channelId, place: place(epoch, 2, 4), kind: 'u' })],
        heads: [{ partition: partitionOf(channelId), channelId, place: place(epoch, 3, 5) }],
      }),
    );
    await store.drain.flushCursors([
      { channelId, userId: userIds[1] ?? '', readTo: place(older, 2), deliveredTo: place(epoch, 1) },
      { channelId, userId: userIds[2] ?? '', readTo: place(epoch, 2), deliveredTo: null },
    ]);
  });

  it('[UNREAD-53] counts the messages after each cursor, across epochs, without the entries that are none', async () => {
    const header = await store.headers.header(channelId);
    const unread = new Map(header?.members.map((member) => [member.userId, member.unread]));
    // Never read · older-2 · between epoch-1 and epoch-3 · wrote the newest himself.
    expect(userIds.map((id) => unread.get(id))).toEqual([5, 3, 1, 0]);
  });

  it('[EPOCH-58] comes with the epoch, head, limit and version of one snapshot', async () => {
    const header = await store.headers.header(channelId);
    expect(header).toMatchObject({ epoch, version: 1, memberLimit: 100 });
    expect(header?.head).toEqual({ position: `${epoch}-3`, m: 5, at: 1_000_003 });
    const owner = header?.members.find((member) => member.userId === userIds[0]);
    expect(owner).toMatchObject({ rank: RANKS.owner, silencedUntilMs: 0, readTo: null, deliveredTo: null });
    const reader = header?.members.find((member) => member.userId === userIds[1]);
    expect(reader?.deliveredTo).toEqual({ position: `${epoch}-1`, at: 1_000_001 });
  });

  it('[UNREAD-59] what a member has read is delivered to him: by his cursor, and by his own newest message', async () => {
    const header = await store.headers.header(channelId);
    const members = await store.archive.membersById(channelId, userIds);
    for (const [userId, position] of [
      [userIds[2], `${epoch}-2`],
      [userIds[3], `${epoch}-3`],
    ]) {
      expect(header?.members.find((member) => member.userId === userId)?.deliveredTo).toMatchObject({ position });
      expect(members.find((member) => member.userId === userId)?.deliveredTo).toBe(position);
    }
  });

  it('[EPOCH-101] names the holes of its epoch, and of no other', async () => {
    expect((await store.headers.header(channelId))?.holes).toEqual([]);
    const holes = [
      change({ channelId, place: place(epoch, 4), kind: 'x' }),
      change({ channelId, place: place(1, 4), kind: 'x' }),
    ];
    await store.drain.commit(await batchOf(store, { changes: holes }));
    expect((await store.headers.header(channelId))?.holes).toEqual([4]);
  });

  it('agrees with the count of each member by himself', async () => {
    const header = await store.headers.header(channelId);
    for (const { userId, unread } of header?.members ?? []) {
      expect((await store.archive.unread(userId, [channelId])).get(channelId)?.unread).toBe(unread);
    }
  });

  it('is null for a channel that is none', async () => {
    expect(await store.headers.header(uuid('channel', 404))).toBeNull();
  });
});

it('[UNREAD-54] counts for ten thousand members in one statement of at most some seconds', async () => {
  const channelId = uuid('channel', 2);
  await fixture.sql(`
    insert into users (id, name, claims_hash, created_at)
      select ('2000000a-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, 'u' || i, '', 0 from generate_series(1, 10000) i`);
  await fixture.sql(`
    insert into channels (id, kind, member_count, member_limit, created_at) values ('${channelId}', 'group', 10000, 10000, 0)`);
  await fixture.sql(`
    insert into channel_members (channel_id, user_id, rank, joined_at, read_epoch, read_n)
      select '${channelId}', ('2000000a-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, 2, 0, 5, i % 5000
      from generate_series(1, 10000) i`);
  await fixture.sql(`
    insert into messages (channel_id, epoch, n, m, id, sender_id, client_msg_id, body, sent_at)
      select '${channelId}', 5, n, n, gen_random_uuid(), '${uuid('user', 1)}', gen_random_uuid(), 'x', n
      from generate_series(1, 5000) n`);
  const header = await store.headers.header(channelId);
  expect(header?.members).toHaveLength(10_000);
  for (const { readTo, unread } of header?.members ?? []) {
    expect(unread).toBe(5000 - Number(readTo?.position.split('-')[1] ?? 0));
  }
});
