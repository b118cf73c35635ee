import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OWNED_COLUMNS } from '../src/admin/owned-tables.ts';
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
beforeAll(async () => {
  fixture = await openFixture();
  await makeUsers(fixture.store, 5);
  await openEpoch(fixture.store);
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** Columns that hold ids of something other than a user. */
const OTHER_IDS =
  /^(id|channel_id|message_id|client_msg_id|operation_id|call_id|after_channel|attachment_id|reply_to|thread_of)$/;

describe('[ADMIN-49] every column that names a user says what becomes of it when he is erased', () => {
  const columns = () =>
    fixture.sql<{ column: string }>(
      `select table_name || '.' || column_name as column from information_schema.columns
       where table_schema = 'public' and data_type = 'uuid' order by 1`,
    );
  const undecided = (all: { column: string }[]) => {
    const decided = new Set(OWNED_COLUMNS.map(({ table, column }) => `${table}.${column}`));
    return all
      .map(({ column }) => column)
      .filter((name) => !OTHER_IDS.test(name.split('.')[1] ?? '') && !decided.has(name));
  };

  it('in all tables that there are', async () => {
    expect(undecided(await columns())).toEqual([]);
  });

  it('control: a new one is seen', () => {
    expect(undecided([{ column: 'diary.author_id' }, { column: 'messages.sender_id' }])).toEqual(['diary.author_id']);
  });
});

describe('an erasure in Postgres', () => {
  it('[ADMIN-51] goes through the channels in stretches, goes on where it was broken off, and finds nothing the second time', async () => {
    const { store } = fixture;
    const [eraser = '', other = ''] = [uuid('user', 1), uuid('user', 2)];
    const channelIds = Array.from({ length: 3 }, () => randomUUID()).sort();
    for (const id of channelIds) await makeChannel(store, { id, userIds: [other, eraser] });
    const said = channelIds.flatMap((channelId) =>
      [1, 2, 3].map((n) =>
        created({ channelId, place: place(1, n), senderId: n === 2 ? other : eraser, body: `words ${n}` }),
      ),
    );
    await store.drain.commit(await batchOf(store, { created: said }));
    await store.admin.beginErasure(eraser);
    const first = await store.admin.eraseMessages(eraser, null);
    expect(first).toMatchObject({ messages: 6, more: false });
    expect(first.channelIds).toEqual(expect.arrayContaining(channelIds));
    const rest = await store.admin.eraseMessages(eraser, channelIds[1] ?? null);
    expect(rest).toMatchObject({ messages: 0, channelIds: expect.not.arrayContaining(channelIds.slice(0, 2)) });
    await store.admin.erasedUpTo(eraser, channelIds[1] ?? '');
    expect(await store.admin.erasure(eraser)).toMatchObject({ afterChannel: channelIds[1], completedAt: null });
    const bodies = await fixture.sql(
      'select body, deleted_at is not null as deleted from messages where channel_id = $1 order by n',
      [channelIds[0]],
    );
    expect(bodies).toEqual([
      { body: '', deleted: true },
      { body: 'words 2', deleted: false },
      { body: '', deleted: true },
    ]);
    await store.admin.completeErasure(eraser, { messages: 6 });
    expect(await store.admin.erasure(eraser)).toMatchObject({
      afterChannel: null,
      completedAt: expect.any(Number),
      erased: { messages: 6 },
    });
    expect((await store.admin.pendingErasures()).map(({ userId }) => userId)).not.toContain(eraser);
  });

  it('[ADMIN-41] blanks dead letters that are his, whatever could be read of them, and none that only mention him', async () => {
    const { store } = fixture;
    const [eraser, other] = [uuid('user', 5), uuid('user', 2)];
    const said = (userId: string, rest: object) => JSON.stringify({ senderId: userId, ...rest });
    const lines = [
      [eraser, 'nobody can read this'],
      [null, `1 c garbage ${said(eraser, { body: 'his' })}`],
      [null, `1 j garbage ${JSON.stringify({ actorId: eraser, userId: other })}`],
      [null, `1 j garbage ${JSON.stringify({ actorId: other, userId: eraser, name: 'his' })}`],
      [null, `1 r garbage {"state":${said(eraser, { body: 'his' })},"actorId":"${other}"}`],
      [other, `1 c 1-1 1 1 ${said(other, { body: 'not his', mentions: [eraser] })}`],
      [other, `1 c 1-1 1 1 ${said(other, { body: said(eraser, {}) })}`],
    ];
    for (const [k, [senderId, line]] of lines.entries()) {
      await fixture.sql(
        `insert into dead_letter (partition, epoch, k, sender_id, line, reason, at)
         values (0, 1, $1, $2, convert_to($3, 'UTF8'), 'odd', 1)`,
        [k, senderId, line],
      );
    }
    expect(await store.admin.eraseRows(eraser)).toMatchObject({ dead_letter: 5 });
    const left = await fixture.sql("select convert_from(line, 'UTF8') as line from dead_letter order by k");
    expect(left.map(({ line }) => line)).toEqual(lines.map(([, line], k) => (k < 5 ? '' : line)));
  });

  it('[ADMIN-53] is pending again on a Postgres of another timeline or system, and where it was asked for once more', async () => {
    const { admin } = fixture.store;
    const userId = uuid('user', 3);
    const isPending = async () => (await admin.pendingErasures()).some((erasure) => erasure.userId === userId);
    await admin.beginErasure(userId);
    expect(await isPending()).toBe(true);
    for (const change of ['pg_timeline = pg_timeline + 1', "pg_system = 'another'"]) {
      await admin.completeErasure(userId, {});
      expect(await isPending()).toBe(false);
      await fixture.sql(`update erasures set ${change} where user_id = $1`, [userId]);
      expect(await isPending(), change).toBe(true);
    }
    await admin.completeErasure(userId, {});
    await admin.beginErasure(userId);
    expect(await isPending()).toBe(true);
  });

  it('[ADMIN-54] a token that comes all the same writes nothing into the row of a user who was erased', async () => {
    const { store } = fixture;
    const id = uuid('user', 4);
    await store.admin.beginErasure(id);
    const user = await store.archive.upsertUser({
      id,
      name: 'Back',
      avatarUrl: null,
      email: 'a@b.example',
      locale: null,
    });
    expect(user).toMatchObject({ id, name: 'Deleted user' });
    expect(await store.directory.update(id, { name: 'Back' })).toBeNull();
    expect(await fixture.sql('select name, email from users where id = $1', [id])).toEqual([
      { name: 'Deleted user', email: null },
    ]);
  });
});

it('[USER-3] users who are disabled or erased are found by nobody', async () => {
  const { store } = fixture;
  const mark = randomUUID().slice(0, 8);
  const ids = Array.from({ length: 4 }, () => randomUUID());
  for (const [i, id] of ids.entries()) {
    await store.archive.upsertUser({ id, name: `${mark} ${i}`, avatarUrl: null, email: null, locale: null });
  }
  const [me = '', seen = '', disabled = '', erased = ''] = ids;
  await makeChannel(store, { id: randomUUID(), userIds: ids });
  const find = async (open: boolean) =>
    (await store.directory.search({ userId: me, text: mark, open, limit: 10 })).map((user) => user.id).sort();
  expect(await find(false)).toEqual([seen, disabled, erased].sort());
  await store.admin.disable(disabled, true);
  await store.admin.beginErasure(erased);
  for (const open of [false, true]) expect(await find(open)).toEqual([seen]);
  expect((await store.directory.contacts(me, 200)).map((user) => user.id)).toEqual([seen]);
  await store.admin.disable(disabled, false);
  expect(await find(true)).toEqual([seen, disabled].sort());
});

it('[USER-4] contacts are no more than were asked for, however many share a channel', async () => {
  const { store } = fixture;
  const ids = Array.from({ length: 12 }, () => randomUUID());
  for (const id of ids) await store.archive.upsertUser({ id, name: 'n', avatarUrl: null, email: null, locale: null });
  const [me = ''] = ids;
  for (let i = 0; i < 2; i++) await makeChannel(store, { id: randomUUID(), userIds: ids });
  expect(await store.directory.contacts(me, 5)).toHaveLength(5);
  expect(await store.directory.contacts(me, 200)).toHaveLength(11);
});
