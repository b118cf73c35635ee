import { randomUUID } from 'node:crypto';
import type { Notice } from '@parley/domain';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fixture, makeChannel, makeUsers, openFixture, uuid } from './fixture.ts';

let fixture: Fixture;
const [ada, bob, eve] = [uuid('user', 1), uuid('user', 2), uuid('user', 3)];
const BOTH = { push: true, webhook: true };
const LEASE_MS = 1_000;

beforeAll(async () => {
  fixture = await openFixture();
  await makeUsers(fixture.store, 3);
});
afterAll(() => fixture[Symbol.asyncDispose]());

let serial = 0;
let channelId: string;
let n: number;
beforeEach(async () => {
  await fixture.sql('delete from offline_notices');
  await fixture.sql('delete from push_subscriptions');
  await fixture.sql('update users set notify = null, email = null');
  await fixture.sql('delete from channels');
  await fixture.sql('delete from messages');
  await fixture.sql('delete from channel_head');
  channelId = await group();
  n = 0;
});

async function group(): Promise<string> {
  const id = uuid('channel', ++serial);
  await makeChannel(fixture.store, { id, userIds: [ada, bob, eve] });
  return id;
}

/** Says something in epoch 1; `at` is its time and that of the head. */
async function say(
  senderId: string,
  { at = Date.now(), body = 'hello', channel = channelId, extra = null as object | null } = {},
) {
  n++;
  await fixture.sql(
    `insert into messages (channel_id, epoch, n, m, id, sender_id, client_msg_id, body, extra, sent_at)
     values ($1, 1, $2, $2, gen_random_uuid(), $3, gen_random_uuid(), $4, $5, $6)`,
    [channel, n, senderId, body, extra && JSON.stringify(extra), at],
  );
  await fixture.sql(
    `insert into channel_head (channel_id, epoch, n, m, at) values ($1, 1, $2, $2, $3)
     on conflict (channel_id) do update set n = excluded.n, m = excluded.m, at = excluded.at`,
    [channel, n, at],
  );
  return n;
}

const delivered = (userId: string, upTo: number) =>
  fixture.sql(
    'update channel_members set delivered_epoch = 1, delivered_n = $3 where (channel_id, user_id) = ($1, $2)',
    [channelId, userId, upTo],
  );

function toTell(channelIds: string[] = [channelId], outlets = BOTH, sinceMs: number | null = null): Promise<string[]> {
  return fixture.store.offline
    .membersToTell({ channelIds, sinceMs, nowMs: Date.now(), outlets })
    .then((found) => found.sort());
}

function claim(
  userId: string,
  options: { outlets?: string[]; nowMs?: number; together?: boolean; limit?: number } = {},
) {
  const { outlets = ['webhook'], nowMs = Date.now(), together = false, limit = null } = options;
  return fixture.store.offline.claim({
    userId,
    outlets,
    nowMs,
    leaseMs: LEASE_MS,
    known: 'delivered',
    together,
    limit,
  });
}

const ranges = (notices: readonly Notice[]) => notices.map(({ after, upTo, count }) => [after.n, upTo.n, count]);

describe('[OFF-1] who is to be told', () => {
  it('members to whom something of others was not delivered, and nobody else', async () => {
    await say(ada);
    expect(await toTell()).toEqual([bob, eve]);
    await say(bob);
    // Who speaks has read what was said before.
    expect(await toTell()).toEqual([ada, eve]);
    await delivered(eve, 2);
    expect(await toTell()).toEqual([ada]);
  });

  it('nobody of a channel that he has muted, until that is over', async () => {
    await say(ada);
    await fixture.sql('update channel_members set muted_until = $1 where user_id = $2', [Date.now() + 60_000, bob]);
    await fixture.sql('update channel_members set muted_until = $1 where user_id = $2', [Date.now() - 1, eve]);
    expect(await toTell()).toEqual([eve]);
  });

  it('nobody of what somebody said whom he has blocked, and nobody who was disabled', async () => {
    await say(ada);
    await fixture.sql('insert into blocks (user_id, blocked_id, at) values ($1, $2, 1)', [bob, ada]);
    expect(await toTell()).toEqual([eve]);
    await fixture.sql('insert into user_standing (user_id, disabled_at) values ($1, 1)', [eve]);
    expect(await toTell()).toEqual([]);
    expect(await fixture.store.offline.person(eve)).toBeNull();
    await fixture.sql('delete from blocks');
    await fixture.sql('delete from user_standing');
    expect(await toTell()).toEqual([bob, eve]);
  });

  it('of a deleted message nobody', async () => {
    await say(ada);
    await fixture.sql('update messages set deleted_at = 1');
    expect(await toTell()).toEqual([]);
  });

  it('by push alone: who has a browser and wants it', async () => {
    await say(ada);
    for (const userId of [bob, eve]) {
      const endpoint = `https://fcm.googleapis.com/${userId}`;
      await fixture.store.push.subscribe(userId, { endpoint, p256dh: 'p', auth: 'a', expiresAt: null });
    }
    await fixture.sql(`update users set notify = '{"push": false}' where id = $1`, [eve]);
    expect(await toTell([channelId], { push: true, webhook: false })).toEqual([bob]);
  });

  it('a sweep finds channels by the time of their newest entry', async () => {
    await say(ada, { at: 1_000 });
    expect(await toTell([], BOTH, 1_000)).toEqual([bob, eve]);
    expect(await toTell([], BOTH, 1_001)).toEqual([]);
  });

  it('who was told of all of it is not found again', async () => {
    await say(ada);
    const { notices } = await claim(bob);
    await fixture.store.offline.told(notices, Date.now());
    expect(await toTell()).toEqual([eve]);
    await say(ada);
    expect(await toTell()).toEqual([bob, eve]);
  });
});

describe('what an outlet is asked', () => {
  it('[OFF-2] everything after what was delivered, read or told, with the newest messages', async () => {
    await say(ada, { body: 'one' });
    await say(ada, { body: 'two' });
    await say(bob, { body: 'mine' });
    await say(ada, { body: 'three' });
    await say(eve, { body: 'four' });
    const { notices, heldUntilMs } = await claim(bob);
    expect(heldUntilMs).toBeNull();
    expect(ranges(notices)).toEqual([[3, 5, 2]]);
    expect(notices[0]).toMatchObject({ userId: bob, outlet: 'webhook', channel: { id: channelId, kind: 'group' } });
    expect(notices[0]?.messages.map(({ body, senderName }) => [body, senderName])).toEqual([
      ['four', 'user 3'],
      ['three', 'user 1'],
    ]);
  });

  it('[OFF-2] what it has told is not asked again; what it has not is asked again as it was', async () => {
    await say(ada);
    const first = await claim(bob);
    await say(ada);
    await fixture.store.offline.untold(first.notices);
    const second = await claim(bob);
    expect(ranges(second.notices)).toEqual([[0, 1, 1]]);
    await fixture.store.offline.told(second.notices, Date.now());
    const third = await claim(bob);
    expect(ranges(third.notices)).toEqual([[1, 2, 1]]);
    await fixture.store.offline.told(third.notices, Date.now());
    expect((await claim(bob)).notices).toEqual([]);
  });

  it('[OFF-2] the control: without what is written down it would be told twice', async () => {
    await say(ada);
    await fixture.store.offline.told((await claim(bob)).notices, Date.now());
    expect((await claim(bob)).notices).toEqual([]);
    await fixture.sql('delete from offline_notices');
    expect(ranges((await claim(bob)).notices)).toEqual([[0, 1, 1]]);
  });

  it('[OFF-3] while it is being asked nobody else asks for the same; who died over it is followed after the lease', async () => {
    await say(ada);
    const nowMs = Date.now();
    expect((await claim(bob, { nowMs })).notices).toHaveLength(1);
    await say(ada);
    const held = await claim(bob, { nowMs: nowMs + LEASE_MS - 1 });
    expect(held).toEqual({ notices: [], heldUntilMs: nowMs + LEASE_MS });
    const after = await claim(bob, { nowMs: nowMs + LEASE_MS });
    expect(ranges(after.notices)).toEqual([[0, 1, 1]]);
  });

  it('[OFF-3] of many who ask at once one is given it', async () => {
    await say(ada);
    const all = await Promise.all(Array.from({ length: 8 }, () => claim(bob)));
    expect(all.flatMap(({ notices }) => notices)).toHaveLength(1);
  });

  it('each outlet stands for itself', async () => {
    await say(ada);
    const outlets = ['push:1', 'webhook'];
    const { notices } = await claim(bob, { outlets });
    await fixture.store.offline.told(
      notices.filter(({ outlet }) => outlet === 'webhook'),
      Date.now(),
    );
    await say(ada);
    const later = await claim(bob, { outlets, nowMs: Date.now() + LEASE_MS });
    expect(later.notices.map(({ outlet, upTo }) => [outlet, upTo.n])).toEqual([
      ['push:1', 1],
      ['webhook', 2],
    ]);
  });

  it('what came to him meanwhile is not asked again', async () => {
    await say(ada);
    await claim(bob);
    await delivered(bob, 1);
    expect(await claim(bob, { nowMs: Date.now() + LEASE_MS })).toEqual({ notices: [], heldUntilMs: null });
  });

  it('no more at once than it is asked for, and the rest the next time', async () => {
    for (let i = 0; i < 5; i++) await say(ada, { channel: await group() });
    const some = await claim(bob, { limit: 2 });
    expect(some.notices).toHaveLength(2);
    await fixture.store.offline.told(some.notices, Date.now());
    expect((await claim(bob)).notices).toHaveLength(3);
  });

  it('[OFF-4] one that tells all channels together is asked for nothing more before it has answered', async () => {
    await say(ada);
    const outlets = ['email'];
    const first = await claim(bob, { outlets, together: true });
    await fixture.store.offline.untold(first.notices);
    const other = await group();
    await say(ada, { channel: other });
    const again = await claim(bob, { outlets, together: true });
    expect(again.notices.map(({ channel }) => channel.id)).toEqual([channelId]);
    await fixture.store.offline.told(again.notices, Date.now());
    const rest = await claim(bob, { outlets, together: true });
    expect(rest.notices.map(({ channel }) => channel.id)).toEqual([other]);
  });

  it('[OFF-6] an encrypted message has no words, and neither has any of an encrypted channel', async () => {
    await say(ada, { body: '', extra: { encrypted: { ciphertext: 'c', nonce: 'n', ephemeralPublicKey: 'k' } } });
    await say(ada, { body: 'open' });
    const { notices } = await claim(bob);
    expect(notices[0]?.messages.map(({ body }) => body)).toEqual(['open', null]);
    await fixture.sql('update channels set encrypted = true');
    const again = await claim(bob, { nowMs: Date.now() + LEASE_MS });
    expect(again.notices[0]?.messages.map(({ body }) => body)).toEqual([null, null]);
  });
});

describe('[OFF-21] what was asked, told later', () => {
  const later = (upTo = 3) =>
    fixture.store.offline.stillMissed({ userId: bob, channelId, after: '1-1', upTo: `1-${upTo}` }, Date.now());
  const words = async () => (await later())?.messages.map(({ body }) => body) ?? null;

  beforeEach(async () => {
    await delivered(bob, 1);
    for (const body of ['before', 'one', 'two']) await say(ada, { body });
  });
  afterEach(async () => {
    await fixture.sql('delete from blocks');
    await fixture.sql('delete from user_standing');
  });

  it('is the same as long as nothing has changed, also when more was said', async () => {
    const [{ outlet, ...asked } = { outlet: '' }] = (await claim(bob)).notices;
    expect(outlet).toBe('webhook');
    await say(ada, { body: 'after' });
    expect(await later()).toEqual(asked);
    expect(await words()).toEqual(['two', 'one']);
  });

  it('is without what was deleted, and as it was edited', async () => {
    await fixture.sql('update messages set deleted_at = 1 where n = 2');
    await fixture.sql(`update messages set body = 'two, better' where n = 3`);
    expect(await later()).toMatchObject({ userId: bob, after: { n: 1 }, upTo: { n: 3 }, count: 1 });
    expect(await words()).toEqual(['two, better']);
    await fixture.sql('update messages set deleted_at = 1');
    expect(await later()).toBeNull();
  });

  it('is without what somebody said whom he has blocked since', async () => {
    await say(eve, { body: 'hers' });
    expect((await later(4))?.count).toBe(3);
    await fixture.sql('insert into blocks (user_id, blocked_id, at) values ($1, $2, 1)', [bob, ada]);
    expect((await later(4))?.messages.map(({ body }) => body)).toEqual(['hers']);
  });

  it.each([
    ['was removed', 'delete from channel_members where user_id = $1'],
    ['was disabled', 'insert into user_standing (user_id, disabled_at) values ($1, 1)'],
    ['was erased', 'insert into user_standing (user_id, erased_at) values ($1, 1)'],
    ['has muted the channel', `update channel_members set muted_until = ${Number.MAX_SAFE_INTEGER} where user_id = $1`],
  ])('is nothing to who %s', async (_what, sql) => {
    expect(await words()).toEqual(['two', 'one']);
    await fixture.sql(sql, [bob]);
    expect(await later()).toBeNull();
  });

  it('has the newest 20, and no words of what is encrypted', async () => {
    for (let i = 0; i < 25; i++) await say(ada, { body: `more ${i}` });
    const found = await later(n);
    expect([found?.count, found?.messages.length, found?.messages[0]?.body]).toEqual([27, 20, 'more 24']);
    await fixture.sql('update channels set encrypted = true');
    expect(await words()).toEqual([null, null]);
  });
});

describe('[OFF-11] digests', () => {
  const AFTER_MS = 10_000;
  const due = (nowMs: number) =>
    fixture.store.offline.digestsDue({ unreadSinceMs: nowMs - AFTER_MS, activeSinceMs: 0, nowMs });

  it('are due for who has an address, wants them, and has something unread for long enough', async () => {
    const nowMs = Date.now();
    await say(ada, { at: nowMs - AFTER_MS - 1 });
    expect(await due(nowMs)).toEqual([]);
    await fixture.sql(`update users set email = name || '@example.org'`);
    expect((await due(nowMs)).sort()).toEqual([bob, eve]);
    expect(await due(nowMs - 10)).toEqual([]);
    await fixture.sql(`update users set notify = '{"email": false}' where id = $1`, [eve]);
    expect(await due(nowMs)).toEqual([bob]);
    // What was only delivered was not read.
    await delivered(bob, 1);
    expect(await due(nowMs)).toEqual([bob]);
  });

  it('are not due again for what was mailed, nor soon after another one', async () => {
    const nowMs = Date.now();
    await fixture.sql(`update users set email = 'bob@example.org' where id = $1`, [bob]);
    await say(ada, { at: nowMs - AFTER_MS - 1 });
    const asked = { userId: bob, outlets: ['email'], leaseMs: 1, limit: null, known: 'read', together: true } as const;
    await fixture.store.offline.told((await fixture.store.offline.claim({ ...asked, nowMs })).notices, nowMs);
    expect(await due(nowMs)).toEqual([]);
    await say(ada, { at: nowMs - 1 });
    expect(await due(nowMs + AFTER_MS - 1)).toEqual([]);
    expect(await due(nowMs + AFTER_MS)).toEqual([bob]);
  });
});

describe('[OFF-19] push subscriptions', () => {
  const endpoint = 'https://fcm.googleapis.com/one';
  const keys = { p256dh: 'p', auth: 'a', expiresAt: null };
  const subscriptions = async (userId: string) => (await fixture.store.offline.person(userId))?.subscriptions ?? [];

  it('are kept once, and belong to who subscribed last', async () => {
    await fixture.store.push.subscribe(bob, { endpoint, ...keys });
    const [first] = await subscriptions(bob);
    await fixture.store.push.subscribe(bob, { endpoint, ...keys, auth: 'b' });
    expect(await subscriptions(bob)).toMatchObject([{ id: first?.id, endpoint, auth: 'b' }]);
    await fixture.store.push.subscribe(eve, { endpoint, ...keys });
    expect(await subscriptions(bob)).toEqual([]);
    const [hers] = await subscriptions(eve);
    // What was told to him there was not told to her.
    expect(hers?.id).not.toBe(first?.id);
  });

  it('are forgotten with what they were told, by their own user or when they are gone', async () => {
    await say(ada);
    await fixture.store.push.subscribe(bob, { endpoint, ...keys });
    const [{ id = '' } = {}] = await subscriptions(bob);
    await claim(bob, { outlets: [`push:${id}`] });
    await fixture.store.push.unsubscribe(eve, endpoint);
    expect(await subscriptions(bob)).toHaveLength(1);
    await fixture.store.push.unsubscribe(bob, endpoint);
    expect(await fixture.sql('select from offline_notices')).toEqual([]);
    await fixture.store.push.subscribe(bob, { endpoint, ...keys });
    await fixture.store.push.gone((await subscriptions(bob))[0]?.id ?? randomUUID());
    expect(await subscriptions(bob)).toEqual([]);
  });

  it('are at most 20 of a user: the oldest goes', async () => {
    for (let i = 0; i < 22; i++) {
      await fixture.store.push.subscribe(bob, { endpoint: `https://fcm.googleapis.com/${i}`, ...keys });
      await fixture.sql('update push_subscriptions set created_at = $1 where endpoint like $2', [i, `%/${i}`]);
    }
    const kept = (await subscriptions(bob)).map((one) => one.endpoint);
    expect(kept).toHaveLength(20);
    expect(kept).not.toContain('https://fcm.googleapis.com/0');
    expect(kept).toContain('https://fcm.googleapis.com/21');
  });

  it('that have expired are not used', async () => {
    await fixture.store.push.subscribe(bob, { endpoint, ...keys, expiresAt: Date.now() - 1 });
    expect(await subscriptions(bob)).toEqual([]);
  });
});
