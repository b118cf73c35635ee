import { PoisonError, RANKS } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Store } from '../src/store.ts';
import {
  batchOf,
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

let fixture: Fixture;
let store: Store;
let epoch: number;
let userIds: string[];
let channelId: string;
let channels = 0;

beforeAll(async () => {
  fixture = await openFixture();
  store = fixture.store;
  epoch = await openEpoch(store);
  userIds = await makeUsers(store, 5);
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  channelId = uuid('channel', ++channels);
  await makeChannel(store, { id: channelId, userIds: userIds.slice(0, 2), memberLimit: 3 });
});

const user = (i: number) => userIds[i] ?? '';

async function channelNow() {
  const [row] = await fixture.sql('select member_count, version from channels where id = $1', [channelId]);
  const rows = await fixture.sql<{ count: number }>('select count(*) from channel_members where channel_id = $1', [
    channelId,
  ]);
  return { ...row, rows: rows[0]?.count };
}

async function commitMembers(...rows: Omit<Parameters<typeof member>[0], 'channelId'>[]) {
  const members = rows.map((row) => member({ channelId, ...row }));
  const batch = await batchOf(store, { members });
  expect((await store.drain.commit(batch)).moved.size).toBe(1);
}

it('[MEMBER-51] a change of members moves rows, count and version in the statement that moves the cursor', async () => {
  await commitMembers({ userId: user(2), rank: RANKS.member, version: 2, place: place(epoch, 1, 0), joined: true });
  expect(await channelNow()).toEqual({ member_count: 3, version: 2, rows: 3 });
  await commitMembers(
    { userId: user(1), rank: null, version: 3, place: place(epoch, 2, 0) },
    { userId: user(2), rank: RANKS.admin, version: 4, place: place(epoch, 3, 0) },
  );
  expect(await channelNow()).toEqual({ member_count: 2, version: 4, rows: 2 });
  const found = await store.archive.membersById(channelId, [user(1), user(2)]);
  expect(found.map(({ userId, role }) => ({ userId, role }))).toEqual([{ userId: user(2), role: 'admin' }]);
});

it('[MEMBER-52] a change that changes nothing counts nobody twice', async () => {
  await commitMembers(
    { userId: user(1), rank: RANKS.member, version: 2, place: place(epoch, 1, 0), joined: true },
    { userId: user(4), rank: null, version: 3, place: place(epoch, 2, 0) },
  );
  expect(await channelNow()).toEqual({ member_count: 2, version: 3, rows: 2 });
});

it('[MEMBER-53] more members than the limit are poison, and nothing of the batch is written', async () => {
  const members = [2, 3].map((i) =>
    member({ channelId, userId: user(i), rank: RANKS.member, version: i, place: place(epoch, i, 0), joined: true }),
  );
  await expect(store.drain.commit(await batchOf(store, { members }))).rejects.toThrow(PoisonError);
  expect(await channelNow()).toEqual({ member_count: 2, version: 1, rows: 2 });
});

it('[MEMBER-54] somebody who does not exist is poison', async () => {
  const members = [
    member({
      channelId,
      userId: uuid('user', 99),
      rank: RANKS.member,
      version: 2,
      place: place(epoch, 1, 0),
      joined: true,
    }),
  ];
  await expect(store.drain.commit(await batchOf(store, { members }))).rejects.toThrow(PoisonError);
});

it('[MEMBER-55] who joins has read what was said before, also when he was a member before', async () => {
  await commitMembers({ userId: user(1), rank: RANKS.member, version: 2, place: place(epoch, 7, 3), joined: true });
  const [again] = await store.archive.membersById(channelId, [user(1)]);
  expect(again).toMatchObject({ joinedAt: 1_000_007, readTo: `${epoch}-7`, deliveredTo: `${epoch}-7` });
});

it('[MEMBER-56] a new role moves no cursor', async () => {
  await store.drain.flushCursors([
    { channelId, userId: user(1), readTo: place(epoch, 4), deliveredTo: place(epoch, 5) },
  ]);
  await commitMembers({ userId: user(1), rank: RANKS.admin, version: 2, place: place(epoch, 9, 3) });
  const [same] = await store.archive.membersById(channelId, [user(1)]);
  expect(same).toMatchObject({ role: 'admin', readTo: `${epoch}-4`, deliveredTo: `${epoch}-5` });
});

it('[MEMBER-115] who goes while he is silenced is still so when he asks to come in, until he has come', async () => {
  const userId = user(1);
  const until = async () => (await store.archive.admission(channelId, userId))?.silencedUntil;
  const rows = () => fixture.sql('select until from silences where channel_id = $1', [channelId]);
  const [present, gone] = [
    { userId, rank: RANKS.member },
    { userId, rank: null },
  ];
  expect(await until()).toBe(0);
  await commitMembers({ ...present, version: 2, place: place(epoch, 1, 0), silencedUntil: 2_000_000 });
  expect(await until()).toBe(2_000_000);
  await commitMembers({ ...gone, version: 3, place: place(epoch, 2, 0) });
  expect([await until(), await rows()]).toEqual([2_000_000, [{ until: 2_000_000 }]]);
  await commitMembers({ ...present, version: 4, place: place(epoch, 3, 0), joined: true, silencedUntil: 2_000_000 });
  expect([await until(), await rows()]).toEqual([2_000_000, []]);
  // Folded: silenced for longer, and gone at once.
  await commitMembers({ ...gone, version: 6, place: place(epoch, 5, 0), silencedUntil: 3_000_000 });
  expect(await rows()).toEqual([{ until: 3_000_000 }]);
  // Folded: added, which ended it, and gone at once.
  await commitMembers({ ...gone, version: 8, place: place(epoch, 7, 0), silencedUntil: 0 });
  expect([await until(), await rows()]).toEqual([0, []]);
  // A silence whose time was over when he went is none.
  await commitMembers({ ...present, version: 9, place: place(epoch, 8, 0), joined: true, silencedUntil: 1_000_001 });
  await commitMembers({ ...gone, version: 10, place: place(epoch, 9, 0) });
  expect(await rows()).toEqual([]);
});

it('[MEMBER-114] every change of a member voids his invitation, and no other', async () => {
  const invited = () =>
    fixture.sql('select user_id from invitations where channel_id = $1 order by user_id', [channelId]);
  await store.archive.invite({ channelId, invitedBy: user(0), userIds: [user(2), user(3)] });
  await commitMembers({ userId: user(2), rank: RANKS.member, version: 2, place: place(epoch, 1, 0), joined: true });
  expect(await invited()).toEqual([{ user_id: user(3) }]);
  await commitMembers({ userId: user(3), rank: null, version: 3, place: place(epoch, 2, 0) });
  expect(await invited()).toEqual([]);
});

it('[UNREAD-51] flushed cursors rise and never fall, each by itself', async () => {
  const flush = (read: number | null, delivered: number | null) =>
    store.drain.flushCursors([
      {
        channelId,
        userId: user(0),
        readTo: read === null ? null : place(epoch, read),
        deliveredTo: delivered === null ? null : place(epoch, delivered),
      },
    ]);
  const now = async () => {
    const [found] = await store.archive.membersById(channelId, [user(0)]);
    return [found?.readTo, found?.deliveredTo];
  };
  await flush(5, 5);
  await flush(3, 8);
  expect(await now()).toEqual([`${epoch}-5`, `${epoch}-8`]);
  await flush(6, null);
  expect(await now()).toEqual([`${epoch}-6`, `${epoch}-8`]);
  await store.drain.flushCursors([{ channelId, userId: user(0), readTo: place(epoch - 1, 90), deliveredTo: null }]);
  expect(await now()).toEqual([`${epoch}-6`, `${epoch}-8`]);
});

it('[UNREAD-52] a member has read up to his own newest message, whatever his row says', async () => {
  await store.drain.commit(
    await batchOf(store, {
      created: [1, 2, 3].map((n) =>
        created({ channelId, place: place(epoch, n), senderId: n === 2 ? user(0) : user(1) }),
      ),
    }),
  );
  const [owner] = await store.archive.membersById(channelId, [user(0)]);
  expect(owner?.readTo).toBe(`${epoch}-2`);
  expect(await store.archive.unread(user(0), [channelId])).toEqual(new Map([[channelId, { unread: 1, mentions: 0 }]]));
  expect(await store.archive.unread(user(1), [channelId])).toEqual(new Map([[channelId, { unread: 0, mentions: 0 }]]));
});
