import { Failure } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../src/store.ts';
import {
  batchOf,
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
let userIds: string[];
beforeAll(async () => {
  fixture = await openFixture();
  store = fixture.store;
  userIds = await makeUsers(store, 12);
  epoch = await openEpoch(store);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const user = (i: number) => userIds[i] ?? '';
const group = { kind: 'group', name: 'g', encrypted: false, memberLimit: 3 } as const;

/** How often Postgres ran statements on channels and users since the last call. */
async function statementsSince(work: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    const [row] = await fixture.sql<{ calls: number }>(
      `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
       where d.datname = current_database() and query not like '%pg_stat_statements%'`,
    );
    return row?.calls ?? 0;
  };
  const before = await count();
  await work();
  return (await count()) - before;
}

describe('users', () => {
  const claims = { id: uuid('user', 100), name: 'Zoë', avatarUrl: null, email: 'z@example.org', locale: 'nl' };
  const version = async () => (await fixture.sql('select xmin::text from users where id = $1', [claims.id]))[0];

  it('[AUTH-51] a user is written on first sight and when his claims change, never else', async () => {
    expect(await store.archive.upsertUser(claims)).toMatchObject({ id: claims.id, name: 'Zoë', lastSeenAt: null });
    const first = await version();
    await store.archive.upsertUser(claims);
    expect(await version()).toEqual(first);
    expect(await store.archive.upsertUser({ ...claims, avatarUrl: 'https://a.example/z.png' })).toMatchObject({
      avatarUrl: 'https://a.example/z.png',
    });
    expect(await version()).not.toEqual(first);
  });

  it('many first sights at once make one user', async () => {
    const twin = { ...claims, id: uuid('user', 101) };
    const found = await Promise.all(Array.from({ length: 8 }, () => store.archive.upsertUser(twin)));
    expect(new Set(found.map(({ id }) => id)).size).toBe(1);
  });

  it('unknown ones are left out', async () => {
    const found = await store.archive.users([user(0), uuid('user', 999)]);
    expect(found.map(({ id }) => id)).toEqual([user(0)]);
  });
});

describe('making a channel', () => {
  it('[MEMBER-57] the same id gives the same channel, however many calls make it at once', async () => {
    const channel = { ...group, id: uuid('channel', 1), ownerId: user(0), memberIds: [user(1)] };
    const made = await Promise.all(Array.from({ length: 6 }, () => store.archive.createChannel(channel)));
    expect(made.filter((result) => 'created' in result && result.created)).toHaveLength(1);
    for (const result of made) expect(result).toMatchObject({ channel: { id: channel.id, memberCount: 2 } });
    const found = await store.archive.members(channel.id, { cursor: null, limit: 10 });
    expect(found.items.map(({ userId, role }) => [userId, role])).toEqual([
      [user(0), 'owner'],
      [user(1), 'member'],
    ]);
  });

  it('nobody owns a direct channel', async () => {
    const id = uuid('channel', 2);
    await store.archive.createChannel({
      ...group,
      kind: 'direct',
      name: null,
      id,
      ownerId: user(0),
      memberIds: [user(1)],
    });
    const found = await store.archive.members(id, { cursor: null, limit: 10 });
    expect(found.items.map(({ role }) => role)).toEqual(['member', 'member']);
  });

  it('[MEMBER-58] with members who do not exist nothing is made, and they are named', async () => {
    const id = uuid('channel', 3);
    const memberIds = [user(1), uuid('user', 997), uuid('user', 998)];
    const result = await store.archive.createChannel({ ...group, id, ownerId: user(0), memberIds });
    expect('unknown' in result && result.unknown.toSorted()).toEqual([uuid('user', 997), uuid('user', 998)]);
    expect(await store.archive.channel(id, user(0))).toBeNull();
  });

  it('[MEMBER-59] more members than the limit are refused', async () => {
    const channel = { ...group, id: uuid('channel', 4), ownerId: user(0), memberIds: [1, 2, 3].map(user) };
    await expect(store.archive.createChannel(channel)).rejects.toMatchObject({ code: 'CHANNEL_FULL' });
    expect(await store.archive.channel(channel.id, user(0))).toBeNull();
  });

  it('who is named twice is one member', async () => {
    const id = uuid('channel', 5);
    await store.archive.createChannel({ ...group, id, ownerId: user(0), memberIds: [user(1), user(1), user(0)] });
    expect(await store.archive.channel(id, user(0))).toMatchObject({ role: 'owner', channel: { memberCount: 2 } });
  });
});

describe('a user’s channels', () => {
  const reader = () => user(11);
  const ids = Array.from({ length: 7 }, (_, i) => uuid('channel', 50 + i));
  beforeAll(async () => {
    for (const id of ids) await makeChannel(store, { id, userIds: [...userIds.slice(0, 9), reader()] });
    // The last made without a message is still newer than everything said at `place().at`.
    for (const [i, channelId] of ids.slice(0, 6).entries()) {
      await store.drain.commit(
        await batchOf(store, { created: [created({ channelId, place: place(epoch, i + 1), senderId: user(0) })] }),
      );
    }
  });

  it('[UNREAD-55] come newest activity first, each with its head, last message, first eight members, role and cursor', async () => {
    const { items, nextCursor } = await store.archive.channelsOf(reader(), { cursor: null, limit: 50 });
    expect(items.map(({ channel }) => channel.id)).toEqual([ids[6], ids[5], ids[4], ids[3], ids[2], ids[1], ids[0]]);
    expect(nextCursor).toBeNull();
    const [empty, busy] = items;
    expect(empty).toMatchObject({ head: null, lastMessage: null, readTo: null, role: 'member', muted: false });
    expect(busy).toMatchObject({ head: `${epoch}-6`, lastMessage: { position: `${epoch}-6`, persisted: true } });
    expect(busy?.members.map(({ id }) => id)).toEqual(userIds.slice(0, 8));
    const own = await store.archive.channel(ids[5] ?? '', user(0));
    expect(own).toMatchObject({ role: 'owner', readTo: `${epoch}-6` });
  });

  it('[UNREAD-56] come in pages that neither repeat nor leave out, by a cursor', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await store.archive.channelsOf(reader(), { cursor, limit: 3 });
      seen.push(...page.items.map(({ channel }) => channel.id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(ids.toReversed());
  });

  it('[UNREAD-57] cost two statements with their unread counts, whatever their number', async () => {
    await fixture.sql('select 1');
    const calls = await statementsSince(async () => {
      const { items } = await store.archive.channelsOf(reader(), { cursor: null, limit: 50 });
      const unread = await store.archive.unread(
        reader(),
        items.map(({ channel }) => channel.id),
      );
      expect(unread.get(ids[0] ?? '')?.unread).toBe(1);
      expect(unread.get(ids[6] ?? '')?.unread).toBe(0);
    });
    expect(calls).toBe(2);
  });

  it('control: one more statement would be counted', async () => {
    const calls = await statementsSince(async () => {
      await store.archive.channelsOf(reader(), { cursor: null, limit: 50 });
      await store.archive.channel(ids[0] ?? '', reader());
      await store.archive.users([reader()]);
    });
    expect(calls).toBe(3);
  });

  it('a cursor that is none of ours is refused', async () => {
    for (const cursor of ['x', 'MTIz', Buffer.from('1:no-id').toString('base64url')]) {
      await expect(store.archive.channelsOf(reader(), { cursor, limit: 3 })).rejects.toThrow(Failure);
    }
  });

  it('a stranger sees no channel', async () => {
    expect(await store.archive.channel(ids[0] ?? '', user(10))).toBeNull();
    expect((await store.archive.unread(user(10), ids)).size).toBe(0);
  });

  it('[MEMBER-60] members come in pages in the order in which they joined', async () => {
    const first = await store.archive.members(ids[0] ?? '', { cursor: null, limit: 4 });
    const second = await store.archive.members(ids[0] ?? '', { cursor: first.nextCursor, limit: 100 });
    expect(second.nextCursor).toBeNull();
    const seen = [...first.items, ...second.items].map(({ userId }) => userId);
    expect(seen).toEqual([...userIds.slice(0, 9), reader()]);
  });
});
