import { partitionOf } from '@parley/domain';
import { formatPosition } from '@parley/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { batchOf, created, type Fixture, makeChannel, makeUsers, openEpoch, openFixture, uuid } from './fixture.ts';

let fixture: Fixture;
let epoch: number;
const [ada, bob] = [uuid('user', 1), uuid('user', 2)];

beforeAll(async () => {
  fixture = await openFixture();
  await makeUsers(fixture.store, 2);
  epoch = await openEpoch(fixture.store);
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const table of ['messages', 'log_change', 'channel_head', 'channels', 'push_subscriptions', 'offline_notices']) {
    await fixture.sql(`delete from ${table}`);
  }
});

let serial = 0;

/** A channel with entries 1…count of the open epoch, one a second from `since`; every `holeEvery`th is a hole. */
async function talked({ count, since = 0, holeEvery = 0 }: { count: number; since?: number; holeEvery?: number }) {
  const id = uuid('channel', ++serial);
  await makeChannel(fixture.store, { id, userIds: [ada, bob] });
  await fixture.sql(
    `insert into messages (channel_id, epoch, n, m, id, sender_id, client_msg_id, body, sent_at, persisted_at)
     select $1, $2, i, i, gen_random_uuid(), $3, gen_random_uuid(), 'words ' || i, $4::bigint + i * 1000, $4::bigint + i * 1000 + i
     from generate_series(1, $5::int) i where $6 = 0 or i % $6 <> 0`,
    [id, epoch, ada, since, count, holeEvery],
  );
  await fixture.sql(
    `insert into log_change (channel_id, epoch, n, kind, at)
     select $1, $2, i, 'x', $3::bigint + i * 1000 from generate_series(1, $4::int) i where $5 <> 0 and i % $5 = 0`,
    [id, epoch, since, count, holeEvery || 1],
  );
  await fixture.sql('delete from log_change where channel_id = $1 and $2 = 0', [id, holeEvery]);
  await fixture.sql('insert into channel_head (channel_id, epoch, n, m, at) values ($1, $2, $3, $3, $4)', [
    id,
    epoch,
    count,
    since + count * 1_000,
  ]);
  return id;
}

const at = (n: number) => formatPosition({ epoch, n });
const history = (channelId: string, n: number) =>
  fixture.store.archive.history({ channelId, userId: ada, after: n === 0 ? '0-0' : at(n), limit: 500 });
const rows = async (table: string, channelId: string) =>
  Number(
    (await fixture.sql<{ count: number }>(`select count(*) from ${table} where channel_id = $1`, [channelId]))[0]
      ?.count,
  );

describe('[JOB-4] retention', () => {
  const remove = (channelId: string, beforeMs: number, limit = 1_000) =>
    fixture.store.housekeeping.removeExpired({ channelId, beforeMs, limit });

  it('removes what is older, messages and changes, from the beginning on, and nothing else', async () => {
    const channelId = await talked({ count: 100, holeEvery: 10 });
    expect(await remove(channelId, 50_500)).toEqual({ messages: 45, changes: 5, upTo: at(50) });
    expect([await rows('messages', channelId), await rows('log_change', channelId)]).toEqual([45, 5]);
    expect(await remove(channelId, 50_500)).toEqual({ messages: 0, changes: 0, upTo: null });
  });

  it('works in batches that each leave a whole history', async () => {
    const channelId = await talked({ count: 100, holeEvery: 10 });
    expect(await remove(channelId, 50_500, 30)).toEqual({ messages: 27, changes: 3, upTo: at(30) });
    expect(await remove(channelId, 50_500, 30)).toEqual({ messages: 18, changes: 2, upTo: at(50) });
    const rest = await history(channelId, 50);
    expect(rest).toMatchObject({ known: true, expired: false });
    expect(rest.messages.length + rest.changes.length).toBe(50);
  });

  it('finds channels whose oldest entry is too old, page by page', async () => {
    const old = [await talked({ count: 3 }), await talked({ count: 3 })];
    await talked({ count: 3, since: 1_000_000 });
    const page = (afterId: string | null, limit: number) =>
      fixture.store.housekeeping.expiredChannels({ beforeMs: 500_000, afterId, limit });
    expect(await page(null, 10)).toEqual(old);
    expect(await page(null, 1)).toEqual(old.slice(0, 1));
    expect(await page(old[0] ?? '', 10)).toEqual(old.slice(1));
  });

  it('leaves a channel whose whole history is gone as it was: its head and its next position', async () => {
    const channelId = await talked({ count: 5 });
    await remove(channelId, 1_000_000);
    expect(await rows('messages', channelId)).toBe(0);
    expect((await fixture.store.housekeeping.heads([channelId])).get(channelId)).toBe(at(5));
    expect((await fixture.store.headers.header(channelId))?.head?.position).toBe(at(5));
    expect(await history(channelId, 5)).toMatchObject({ known: true, expired: false, messages: [] });
    const next = created({ channelId, place: { epoch, n: 6, m: 6, at: 2_000_000 } });
    await fixture.store.drain.commit(await batchOf(fixture.store, { created: [next] }));
    expect((await history(channelId, 5)).messages).toHaveLength(1);
    const [head] = await fixture.sql('select removed_n, n from channel_head where channel_id = $1', [channelId]);
    expect(head).toEqual({ removed_n: 5, n: 6 });
    expect(partitionOf(channelId)).toBeGreaterThanOrEqual(0);
  });
});

it('[JOB-4] dead letters that are older are removed, in batches, and no others', async () => {
  await fixture.sql(
    `insert into dead_letter (partition, epoch, k, line, reason, at) select 0, 1, i, 'words', 'odd', i * 100 from generate_series(1, 5) i`,
  );
  const forget = () => fixture.store.housekeeping.forgetDeadLetters({ beforeMs: 400, limit: 2 });
  expect([await forget(), await forget(), await forget()]).toEqual([2, 1, 0]);
  expect((await fixture.store.housekeeping.deadLetters(10)).map(({ k }) => k)).toEqual([5, 4]);
});

it('[JOB-5] history says of a position whether what followed it was removed', async () => {
  const channelId = await talked({ count: 20 });
  await fixture.store.housekeeping.removeExpired({ channelId, beforeMs: 10_500, limit: 1_000 });
  expect(await history(channelId, 0)).toMatchObject({ expired: true });
  expect(await history(channelId, 9)).toMatchObject({ expired: true, known: false });
  expect(await history(channelId, 10)).toMatchObject({ expired: false, known: true });
  expect(await history(channelId, 11)).toMatchObject({ expired: false, known: true });
});

it('[JOB-6] the words of messages that were deleted long ago are removed, and their places stay', async () => {
  const channelId = await talked({ count: 4 });
  await fixture.sql('update messages set deleted_at = 100 where n = 1');
  await fixture.sql('update messages set deleted_at = 300 where n = 2');
  await fixture.sql(
    `update messages set deleted_at = 100, body = '', extra = '{"replyTo": "r", "encrypted": {"nonce": "n"}}' where n = 3`,
  );
  const blank = () => fixture.store.housekeeping.blankDeleted({ beforeMs: 200, limit: 10 });
  expect(await blank()).toBe(2);
  expect(await blank()).toBe(0);
  expect(
    await fixture.sql('select n, body, extra from messages where channel_id = $1 order by n', [channelId]),
  ).toEqual([
    { n: 1, body: '', extra: null },
    { n: 2, body: 'words 2', extra: null },
    { n: 3, body: '', extra: { replyTo: 'r' } },
    { n: 4, body: 'words 4', extra: null },
  ]);
});

it('[JOB-6] what a deleted message showed and whom it named goes too, of one whose words went at once as well', async () => {
  const channelId = await talked({ count: 3 });
  const file = { id: uuid('message', 1), fileName: 'payslip.pdf', contentType: 'application/pdf', byteSize: 1 };
  const extra = JSON.stringify({ replyTo: 'r', attachmentIds: [file.id], attachments: [file], mentions: [bob] });
  await fixture.sql(`update messages set extra = $1, body = ''`, [extra]);
  await fixture.sql('update messages set deleted_at = 100 where n = 1');
  await fixture.sql(`update messages set deleted_at = 100, extra = '{"replyTo": "r"}' where n = 2`);
  const blank = () => fixture.store.housekeeping.blankDeleted({ beforeMs: 200, limit: 10 });
  expect(await blank()).toBe(1);
  expect(await blank()).toBe(0);
  expect(await fixture.sql('select n, extra from messages where channel_id = $1 order by n', [channelId])).toEqual([
    { n: 1, extra: { replyTo: 'r' } },
    { n: 2, extra: { replyTo: 'r' } },
    { n: 3, extra: JSON.parse(extra) },
  ]);
});

it('[JOB-7] expired subscriptions and notices that concern nobody any more are removed', async () => {
  const channelId = await talked({ count: 1 });
  const keys = { p256dh: 'p', auth: 'a' };
  await fixture.store.push.subscribe(bob, { endpoint: 'https://a.example/1', ...keys, expiresAt: 1_000 });
  await fixture.store.push.subscribe(bob, { endpoint: 'https://a.example/2', ...keys, expiresAt: null });
  const kept = (await fixture.store.offline.person(bob))?.subscriptions[0]?.id ?? '';
  const notice = (outlet: string, channel: string) =>
    fixture.sql(
      'insert into offline_notices (user_id, outlet, channel_id, told_epoch, told_n) values ($1, $2, $3, 1, 1)',
      [bob, outlet, channel],
    );
  await notice(`push:${kept}`, channelId);
  await notice(`push:${uuid('message', 1)}`, channelId);
  await notice('webhook', channelId);
  await notice('webhook', uuid('channel', 999_999));
  expect(await fixture.store.housekeeping.removeStale({ nowMs: 2_000, limit: 100 })).toBe(3);
  expect(await fixture.store.housekeeping.removeStale({ nowMs: 2_000, limit: 100 })).toBe(0);
  const left = await fixture.sql<{ outlet: string }>('select outlet from offline_notices order by outlet');
  expect(left.map(({ outlet }) => outlet)).toEqual([`push:${kept}`, 'webhook']);
});

describe('[JOB-9] daily counts', () => {
  const DAY_MS = 86_400_000;
  const MONDAY = Date.UTC(2026, 10, 23);

  it('of channels and in all, the same however often they are counted', async () => {
    await talked({ count: 4, since: MONDAY });
    await talked({ count: 2, since: MONDAY + DAY_MS });
    await fixture.sql('update messages set sender_id = $1 where n = 1', [bob]);
    expect(await fixture.store.housekeeping.countDays(MONDAY)).toBe(2);
    const days = () =>
      fixture.sql(
        'select day::text as date, messages, active_users, active_channels, persist_ms_average, persist_ms_p50 from analytics_day order by analytics_day.day',
      );
    const first = await days();
    expect(first).toMatchObject([
      {
        date: '2026-11-23',
        messages: 4,
        active_users: 2,
        active_channels: 1,
        persist_ms_average: 2.5,
        persist_ms_p50: 2.5,
      },
      { date: '2026-11-24', messages: 2, active_users: 2, active_channels: 1, persist_ms_average: 1.5 },
    ]);
    await fixture.store.housekeeping.countDays(MONDAY);
    expect(await days()).toEqual(first);
    // Only the days asked for are counted anew.
    await fixture.sql('delete from messages');
    await talked({ count: 3, since: MONDAY + DAY_MS });
    expect(await fixture.store.housekeeping.countDays(MONDAY + DAY_MS)).toBe(1);
    expect(await days()).toMatchObject([{ messages: 4 }, { messages: 3 }]);
  });

  it('are forgotten by day', async () => {
    await fixture.sql('delete from analytics_day');
    await fixture.sql('delete from analytics_channel_day');
    await talked({ count: 1, since: MONDAY });
    await talked({ count: 1, since: MONDAY + DAY_MS });
    await fixture.store.housekeeping.countDays(MONDAY);
    expect(await fixture.store.housekeeping.forgetDays(MONDAY + DAY_MS + 5)).toBe(2);
    expect(await fixture.sql('select day::text as day from analytics_day')).toEqual([{ day: '2026-11-24' }]);
  });

  it('a message says when Postgres took it', async () => {
    const channelId = await talked({ count: 0 });
    const before = Date.now();
    const message = created({ channelId, place: { epoch, n: 1, m: 1, at: before } });
    await fixture.store.drain.commit(await batchOf(fixture.store, { created: [message] }));
    const [row] = await fixture.sql<{ persisted_at: number }>('select persisted_at from messages');
    expect(row?.persisted_at).toBeGreaterThanOrEqual(before - 1);
    expect(row?.persisted_at).toBeLessThanOrEqual(Date.now() + 1);
  });
});
