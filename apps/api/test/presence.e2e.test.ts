import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelEvent, InboxEvent } from '@parley/protocol';
import type { Metrics } from '@parley/runtime';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OtherNode, spawnOtherNode, startOtherNode } from './other-node.ts';
import { type Chatter, failureOf, type Stack, startStack, text } from './stack.ts';

// Presence and typing as clients of two nodes see them.

const TTL_MS = 3_000;
let stack: Stack;
let other: Awaited<ReturnType<typeof startOtherNode>>;

beforeAll(async () => {
  stack = await startStack({
    PRESENCE_TTL_MS: String(TTL_MS),
    PRESENCE_HEARTBEAT_MS: '500',
    RATE_LIMIT_ENABLED: 'false',
  });
  other = await startOtherNode(stack.env);
});
afterAll(async () => {
  await other?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});

async function until(isSo: () => boolean | Promise<boolean>, what: string, withinMs = 20_000): Promise<void> {
  for (const deadline = Date.now() + withinMs; !(await isSo()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`);
  }
}

async function countOf(metrics: Metrics, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await metrics.text())?.[1]);
}

/** What a channel's feed brings, once it is open. */
async function follow(chatter: Chatter, channelId: string) {
  const items: { id: string; event: ChannelEvent }[] = [];
  let failed: unknown;
  const { unsubscribe } = chatter.trpc.feed.channel.subscribe(
    { channelId },
    {
      onData: ({ id, data }) => items.push({ id, event: data }),
      onError: (error) => {
        failed = error;
      },
    },
  );
  await until(() => items.length > 0 || failed !== undefined, 'opened');
  const of = <T extends ChannelEvent['type']>(type: T) =>
    items.map(({ event }) => event).filter((event): event is Extract<ChannelEvent, { type: T }> => event.type === type);
  return {
    items,
    unsubscribe,
    failed: () => failed,
    presence: (userId: string) =>
      of('presence.changed').flatMap((event) => (event.userId === userId ? event.status : [])),
    typing: (userId: string) => of('typing.changed').flatMap((event) => (event.userId === userId ? event.typing : [])),
  };
}

async function group(owner: Chatter, ...members: Chatter[]): Promise<string> {
  const memberIds = members.map(({ userId }) => userId);
  return (await owner.trpc.channel.create.mutate({ kind: 'group', name: 'g', memberIds })).id;
}

const statusFor = async (asker: Chatter, userId: string) =>
  (await asker.trpc.presence.get.query({ userIds: [userId] }))[0]?.status;

/** Users who are known and not here. */
async function strangers(count: number): Promise<string[]> {
  const sql = new pg.Client({ connectionString: stack.db.url });
  await sql.connect();
  const { rows } = await sql.query<{ id: string }>(
    `insert into users (id, name, claims_hash, created_at)
     select gen_random_uuid(), 'x', 'x', 1 from generate_series(1, $1) returning id`,
    [count],
  );
  await sql.end();
  return rows.map(({ id }) => id);
}

describe('presence over two nodes', () => {
  it('[PRES-16] who comes, says how he is and goes on one node is seen in open channels of the other', async () => {
    const ann = await stack.user('p-ann');
    const bob = await stack.user('p-bob');
    const channelId = await group(ann, bob);
    const feed = await follow(ann, channelId);
    await bob[Symbol.asyncDispose]();
    await until(async () => (await statusFor(ann, bob.userId)) === 'offline', 'bob is gone');
    await until(() => feed.presence(bob.userId).at(-1) === 'offline', 'it is told');
    const told = feed.presence(bob.userId).length;
    const [phone, laptop] = [await stack.user('p-bob', other), await stack.user('p-bob')];
    await until(() => feed.presence(bob.userId).at(-1) === 'online', 'bob is back');
    expect(await phone.trpc.presence.set.mutate({ status: 'busy', text: 'in a meeting' })).toMatchObject({
      userId: bob.userId,
      status: 'busy',
      text: 'in a meeting',
      lastSeenAt: expect.any(Number),
    });
    await until(() => feed.presence(bob.userId).at(-1) === 'busy', 'busy');
    // One of his two devices goes: nothing changes.
    await phone[Symbol.asyncDispose]();
    await sleep(1_500);
    expect(await statusFor(ann, bob.userId)).toBe('busy');
    await laptop.trpc.presence.set.mutate({ status: 'online' });
    await until(() => feed.presence(bob.userId).at(-1) === 'online', 'online');
    await laptop[Symbol.asyncDispose]();
    await until(() => feed.presence(bob.userId).at(-1) === 'offline', 'offline');
    expect(feed.presence(bob.userId).slice(told)).toEqual(['online', 'busy', 'online', 'offline']);
    // As every event that is not durable, they repeat the last id that is.
    expect(new Set(feed.items.map(({ id }) => id)).size).toBe(1);
    const [gone] = await ann.trpc.presence.get.query({ userIds: [bob.userId] });
    expect(gone).toEqual({ userId: bob.userId, status: 'offline', lastSeenAt: expect.any(Number) });
    feed.unsubscribe();
  });

  it('[PRES-17] a hundred changes in a second are at most one event of each user a second', async () => {
    const [ann, bob, eve] = [await stack.user('m-ann'), await stack.user('m-bob'), await stack.user('m-eve', other)];
    const channelId = await group(ann, bob, eve);
    const feed = await follow(ann, channelId);
    await sleep(1_500);
    const before = feed.items.length;
    const published = await countOf(stack.metrics, 'presence_published_total');
    const began = Date.now();
    for (let i = 0; i < 50; i++) {
      await Promise.all(
        [bob, eve].map(({ trpc }) => trpc.presence.set.mutate({ status: i % 2 === 0 ? 'away' : 'online' })),
      );
    }
    await Promise.all([bob, eve].map(({ trpc }) => trpc.presence.set.mutate({ status: 'busy' })));
    await until(() => [bob, eve].every(({ userId }) => feed.presence(userId).at(-1) === 'busy'), 'busy');
    // Control: each change of bob's was published.
    expect((await countOf(stack.metrics, 'presence_published_total')) - published).toBeGreaterThanOrEqual(50);
    const seconds = Math.ceil((Date.now() - began) / 1_000) + 1;
    for (const { userId } of [bob, eve]) {
      const events = feed.items
        .slice(before)
        .filter(({ event }) => event.type === 'presence.changed' && event.userId === userId);
      expect(events.length).toBeLessThanOrEqual(seconds);
      expect(events.length).toBeGreaterThan(0);
    }
    feed.unsubscribe();
  });

  it('[PRES-18] in a channel of 100 members changes are told, in one of 101 none; a question is answered in both', async () => {
    const [ann, bob] = [await stack.user('c-ann'), await stack.user('c-bob', other)];
    const many = await strangers(98);
    const add = async (extra: string[]) =>
      (await ann.trpc.channel.create.mutate({ kind: 'group', memberIds: [bob.userId, ...many, ...extra] })).id;
    await using large = await startOtherNode({ ...stack.env, MAX_CHANNEL_MEMBERS: '200' });
    const carl = await stack.user('c-carl', large);
    const small = await add([]);
    const [extra = ''] = await strangers(1);
    const big = (await carl.trpc.channel.create.mutate({ kind: 'group', memberIds: [bob.userId, ...many, extra] })).id;
    const [inSmall, inBig] = [await follow(ann, small), await follow(carl, big)];
    await bob.trpc.presence.set.mutate({ status: 'away' });
    await until(() => inSmall.presence(bob.userId).at(-1) === 'away', 'away');
    await sleep(2_000);
    expect(inBig.items.map(({ event }) => event.type)).toEqual(['opened']);
    expect(await statusFor(carl, bob.userId)).toBe('away');
    for (const feed of [inSmall, inBig]) feed.unsubscribe();
  });

  it('[PRES-19] a user whose node is killed goes offline everywhere, within the time of a hold', async () => {
    await using doomed = await spawnOtherNode(stack.env);
    const [ann, bob] = [await stack.user('k-ann'), await stack.user('k-bob', doomed)];
    const channelId = await group(ann, bob);
    const feed = await follow(ann, channelId);
    await until(async () => (await statusFor(ann, bob.userId)) === 'online', 'online');
    await sleep(TTL_MS + 1_000);
    // Control: as long as the node lives, he stays.
    expect(await statusFor(ann, bob.userId)).toBe('online');
    expect(feed.presence(bob.userId)).not.toContain('offline');
    await doomed.kill();
    expect(await statusFor(ann, bob.userId)).toBe('online');
    await until(() => feed.presence(bob.userId).at(-1) === 'offline', 'offline');
    expect(await statusFor(ann, bob.userId)).toBe('offline');
    feed.unsubscribe();
  });

  it('[PRES-20] users are shown as they are now wherever they are shown, and HTTP calls make nobody online', async () => {
    const [ann, bob] = [await stack.user('o-ann'), await stack.user('o-bob', other)];
    const channelId = await group(ann, bob);
    const http = stack.http(await stack.token('o-eve'));
    const eve = await http.user.me.query();
    expect(eve).toMatchObject({ status: 'offline', lastSeenAt: null });
    await bob.trpc.presence.set.mutate({ status: 'busy', text: 'not now' });
    const busy = { id: bob.userId, status: 'busy', statusText: 'not now', lastSeenAt: expect.any(Number) };
    const [found] = await ann.trpc.user.get.query({ userIds: [bob.userId] });
    expect(found).toMatchObject(busy);
    expect(await bob.trpc.user.me.query()).toMatchObject(busy);
    const members = (await ann.trpc.member.list.query({ channelId })).items.map(({ user }) => user);
    expect(members).toContainEqual(expect.objectContaining(busy));
    expect(members).toContainEqual(expect.objectContaining({ id: ann.userId, status: 'online' }));
    const summaries = [
      await ann.trpc.channel.get.query({ channelId }),
      ...(await ann.trpc.channel.list.query()).items,
      ...(await snapshotOf(ann)),
    ];
    expect(summaries).toHaveLength(3);
    for (const summary of summaries) expect(summary.members).toContainEqual(expect.objectContaining(busy));
    expect(await statusFor(ann, eve.id)).toBe('offline');
    expect(await http.presence.set.mutate({ status: 'online' })).toMatchObject({ status: 'offline', text: null });
  });
});

async function snapshotOf(chatter: Chatter) {
  const events: InboxEvent[] = [];
  const inbox = chatter.trpc.feed.inbox.subscribe(undefined, { onData: ({ data }) => events.push(data) });
  await until(() => events.length > 0, 'a snapshot');
  inbox.unsubscribe();
  return events.flatMap((event) => (event.type === 'snapshot' ? event.channels : []));
}

describe('typing over two nodes', () => {
  it('[TYPE-8] is seen on the other node, ends when it is said, by a message, or by itself when the node is killed', async () => {
    await using doomed: OtherNode & { kill(): Promise<void> } = await spawnOtherNode(stack.env);
    const [ann, bob] = [await stack.user('t-ann'), await stack.user('t-bob', other)];
    const far = await stack.user('t-bob', doomed);
    const channelId = await group(ann, bob);
    const feeds = [await follow(ann, channelId), await follow(bob, channelId)];
    const all = async (typed: boolean[]) =>
      until(() => feeds.every((feed) => feed.typing(bob.userId).join() === typed.join()), typed.join());
    expect(await bob.trpc.typing.set.mutate({ channelId, typing: true })).toEqual({ expiresInMs: 3_000 });
    await all([true]);
    expect(await bob.trpc.typing.set.mutate({ channelId, typing: false })).toEqual({ expiresInMs: 0 });
    await all([true, false]);
    await bob.trpc.typing.set.mutate({ channelId, typing: true });
    await all([true, false, true]);
    const { position } = await bob.trpc.message.send.mutate(text(channelId, 'hello'));
    await all([true, false, true, false]);
    for (const { items } of feeds) {
      const created = items.findIndex(({ event }) => event.type === 'message.created');
      expect(items[created + 1]).toMatchObject({ id: position, event: { type: 'typing.changed', typing: false } });
    }
    await far.trpc.typing.set.mutate({ channelId, typing: true });
    await all([true, false, true, false, true]);
    await doomed.kill();
    await all([true, false, true, false, true, false]);
    for (const feed of feeds) feed.unsubscribe();
  });

  it('[TYPE-9] is for members alone', async () => {
    const [ann, eve] = [await stack.user('n-ann'), await stack.user('n-eve')];
    const channelId = await group(ann);
    const none = '0190a8f0-0000-7000-8000-000000000001';
    for (const of of [channelId, none]) {
      expect(await failureOf(eve.trpc.typing.set.mutate({ channelId: of, typing: true }))).toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    await ann.trpc.typing.set.mutate({ channelId, typing: true });
  });
});

it('[PRES-21] [TYPE-10] presence and typing ask Postgres for nothing', async () => {
  const [ann, bob] = [await stack.user('q-ann'), await stack.user('q-bob', other)];
  const channelId = await group(ann, bob);
  await ann.trpc.message.send.mutate(text(channelId, 'loads the header'));
  const feed = await follow(ann, channelId);
  const sql = new pg.Client({ connectionString: stack.db.url });
  await sql.connect();
  await sql.query('create extension if not exists pg_stat_statements');
  const statements = async () => {
    const { rows } = await sql.query(
      `select coalesce(sum(s.calls), 0)::int as calls from pg_stat_statements s
         join pg_database d on d.oid = s.dbid and d.datname = current_database()
        where s.query not like '%pg_stat_statements%'`,
    );
    return Number(rows[0].calls);
  };
  await sleep(500);
  const before = await statements();
  for (let i = 0; i < 10; i++) {
    await bob.trpc.typing.set.mutate({ channelId, typing: i % 2 === 0 });
    await bob.trpc.presence.set.mutate({ status: i % 2 === 0 ? 'away' : 'online' });
    await ann.trpc.presence.get.query({ userIds: [ann.userId, bob.userId] });
  }
  await bob.trpc.presence.set.mutate({ status: 'busy' });
  await until(() => feed.presence(bob.userId).at(-1) === 'busy', 'busy');
  expect(await statements()).toBe(before);
  // Control: another question is counted.
  await ann.trpc.channel.browse.query();
  expect(await statements()).toBeGreaterThan(before);
  feed.unsubscribe();
  await sql.end();
});

describe('the cache store is killed', () => {
  it('[PRES-22] everything else works, users are shown offline, and what changed meanwhile is told when it is back', async () => {
    const env = { PRESENCE_TTL_MS: '60000', PRESENCE_HEARTBEAT_MS: '20000', RATE_LIMIT_ENABLED: 'false' };
    await using own = await startStack(env);
    await using far = await startOtherNode(own.env);
    const [ann, bob, eve] = [await own.user('ann'), await own.user('bob', far), await own.user('eve', far)];
    const channelId = await group(ann, bob, eve);
    const feed = await follow(ann, channelId);
    await until(async () => (await statusFor(ann, bob.userId)) === 'online', 'bob');
    await until(async () => (await statusFor(ann, eve.userId)) === 'online', 'eve');
    await sleep(1_500);
    const before = feed.presence(eve.userId).length;
    await own.cache.kill();
    const asked = await failureOf(ann.trpc.presence.get.query({ userIds: [bob.userId] }));
    expect(asked).toMatchObject({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: expect.any(Number) });
    expect(await failureOf(ann.trpc.typing.set.mutate({ channelId, typing: true }))).toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect((await ann.trpc.user.get.query({ userIds: [bob.userId] }))[0]?.status).toBe('offline');
    expect((await ann.trpc.member.list.query({ channelId })).items).toHaveLength(3);
    await ann.trpc.message.send.mutate(text(channelId, 'during'));
    const late = await own.user('late');
    await eve[Symbol.asyncDispose]();
    const second = await follow(bob, channelId);
    await own.cache.restart();
    await until(async () => (await statusFor(ann, bob.userId).catch(() => null)) === 'online', 'bob is back');
    await until(async () => (await statusFor(ann, late.userId)) === 'online', 'who came meanwhile is there');
    await until(() => feed.presence(eve.userId).slice(before).at(-1) === 'offline', 'eve is told to be gone');
    await bob.trpc.typing.set.mutate({ channelId, typing: true });
    for (const { typing } of [feed, second]) await until(() => typing(bob.userId).at(-1) === true, 'typing');
    expect(feed.failed()).toBeUndefined();
    expect(feed.items.filter(({ event }) => event.type === 'message.created')).toHaveLength(1);
    for (const each of [feed, second]) each.unsubscribe();
  });

  it('[PRES-9] [TYPE-3] when all have left, all gauges are at zero', async () => {
    const [ann, bob] = [await stack.user('z-ann', other), await stack.user('z-bob', other)];
    const channelId = await group(ann, bob);
    const feed = await follow(ann, channelId);
    const value = (name: string) => countOf(other.metrics, name);
    const names = ['presence_sessions', 'presence_users', 'ephemeral_channels', 'ephemeral_users', 'ephemeral_topics'];
    await until(async () => (await value('ephemeral_users')) >= 2 && (await value('presence_users')) >= 2, 'counted');
    feed.unsubscribe();
    await other[Symbol.asyncDispose]();
    await until(async () => (await Promise.all(names.map(value))).every((count) => count === 0), 'zero');
  });
});
