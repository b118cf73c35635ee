import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, startRedis } from '@parley/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen, type PresenceNodeOptions, startPresenceNode, statusOf } from './presence-rig.ts';
import { keys, until } from './rig.ts';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis({ policy: 'allkeys-lru' });
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin?.disconnect();
  await server?.[Symbol.asyncDispose]();
});

const start = (options: Omit<PresenceNodeOptions, 'url'> = {}) => startPresenceNode({ url: server.url, ...options });

describe('presence of users', () => {
  it('[PRES-1] a user is online as long as one session of his is live, on whatever node', async () => {
    await using one = await start();
    await using two = await start();
    const ann = randomUUID();
    expect(await one.presences.of([ann])).toEqual([
      { userId: ann, status: 'offline', text: null, lastSeenAt: null, holdsForMs: null },
    ]);
    const [phone, tablet, laptop] = [one.sessions.begin(ann), one.sessions.begin(ann), two.sessions.begin(ann)];
    await until(async () => (await admin.hlen(keys.presenceOf(ann))) === 3, 'both nodes hold her');
    phone();
    phone();
    laptop();
    await until(async () => (await admin.hlen(keys.presenceOf(ann))) === 2, 'one lets go of her');
    expect(await statusOf(two, ann)).toBe('online');
    tablet();
    await until(async () => (await statusOf(two, ann)) === 'offline', 'offline');
    const [gone] = await two.presences.of([ann]);
    expect(gone).toMatchObject({ status: 'offline', lastSeenAt: expect.any(Number), holdsForMs: null });
  });

  it('[PRES-2] the holds of a node that died end by themselves; those of one that lives do not', async () => {
    const times = { ttlMs: 600, heartbeatMs: 100 };
    await using dies = await start(times);
    await using lives = await start(times);
    const [ann, bob] = [randomUUID(), randomUUID()];
    dies.sessions.begin(ann);
    lives.sessions.begin(bob);
    lives.sessions.begin(ann)();
    await until(async () => (await statusOf(lives, bob)) === 'online', 'bob');
    await until(async () => (await statusOf(lives, ann)) === 'online', 'ann');
    await sleep(1_300);
    expect([await statusOf(lives, ann), await statusOf(lives, bob)]).toEqual(['online', 'online']);
    await dies.die();
    await until(async () => (await statusOf(lives, ann)) === 'offline', 'nobody holds ann any more');
    expect(await statusOf(lives, bob)).toBe('online');
  });

  it('[PRES-2] control: without heartbeats a live session is over, too', async () => {
    await using node = await start({ ttlMs: 600, heartbeatMs: 3_600_000 });
    const ann = randomUUID();
    await until(() => node.redis.status === 'ready', 'ready');
    // The first heartbeat is over by then.
    await sleep(100);
    node.sessions.begin(ann);
    await until(async () => (await statusOf(node, ann)) === 'online', 'online');
    await until(async () => (await statusOf(node, ann)) === 'offline', 'offline');
  });

  it('[PRES-3] what a user says of himself holds until his last session ends, and no longer', async () => {
    await using one = await start();
    await using two = await start();
    const ann = randomUUID();
    const ends = [one.sessions.begin(ann), two.sessions.begin(ann)];
    expect(await one.sessions.choose(ann, { status: 'busy', text: 'in a meeting' })).toMatchObject({ status: 'busy' });
    expect((await two.presences.of([ann]))[0]).toMatchObject({ status: 'busy', text: 'in a meeting' });
    ends[0]?.();
    await until(async () => (await admin.hkeys(keys.presenceOf(ann))).length === 4, 'one lets go of her');
    expect(await two.sessions.choose(ann, { status: 'away' })).toMatchObject({ status: 'away', text: 'in a meeting' });
    expect(await two.sessions.choose(ann, { status: 'away', text: null })).toMatchObject({ text: null });
    ends[1]?.();
    await until(async () => (await statusOf(one, ann)) === 'offline', 'offline');
    one.sessions.begin(ann);
    await until(async () => (await statusOf(one, ann)) === 'online', 'online, as if nothing had been said');
  });

  it('[PRES-3] who has no session stays offline, and nothing of what he says is kept', async () => {
    await using node = await start();
    const ann = randomUUID();
    expect(await node.sessions.choose(ann, { status: 'busy', text: 'x' })).toMatchObject({
      status: 'offline',
      text: null,
    });
    expect(await admin.exists(keys.presenceOf(ann))).toBe(0);
  });

  it('[PRES-4] a change is published once, and only when the status is another one', async () => {
    const subscriber = new Redis(server.url);
    const changes = await listen(subscriber);
    await using one = await start({ heartbeatMs: 100, ttlMs: 10_000 });
    await using two = await start({ heartbeatMs: 100, ttlMs: 10_000 });
    const ann = randomUUID();
    const of = () => changes.filter(({ userId }) => userId === ann).map(({ status }) => status);
    const ends = [one.sessions.begin(ann), one.sessions.begin(ann), two.sessions.begin(ann)];
    await sleep(500);
    expect(of()).toEqual(['online']);
    await one.sessions.choose(ann, { status: 'away' });
    await two.sessions.choose(ann, { status: 'away', text: 'still' });
    for (const end of ends) end();
    await until(() => of().length === 3, 'offline');
    await sleep(300);
    expect(of()).toEqual(['online', 'away', 'offline']);
    subscriber.disconnect();
  });

  it('[PRES-5] when a user was seen last moves with each heartbeat and with the end of his session, and is kept for a while', async () => {
    await using node = await start({ heartbeatMs: 100, ttlMs: 10_000, lastSeenTtlMs: 20_000 });
    const ann = randomUUID();
    const seen = async () => (await node.presences.of([ann]))[0]?.lastSeenAt ?? 0;
    const end = node.sessions.begin(ann);
    await until(async () => (await seen()) > 0, 'seen');
    const first = await seen();
    await until(async () => (await seen()) > first, 'a heartbeat');
    end();
    await until(async () => (await statusOf(node, ann)) === 'offline', 'offline');
    const last = await seen();
    await sleep(300);
    expect(await seen()).toBe(last);
    expect(await admin.pttl(keys.presenceOf(ann))).toBeGreaterThan(10_000);
    expect(await admin.pttl(keys.presenceOf(ann))).toBeLessThanOrEqual(20_000);
  });

  it('[PRES-7] all who come in one turn of a node are one publication', async () => {
    await using node = await start();
    await sleep(100);
    const users = Array.from({ length: 200 }, () => randomUUID());
    await admin.config('RESETSTAT');
    for (const userId of users) node.sessions.begin(userId);
    await until(async () => (await node.presences.of(users)).every(({ status }) => status === 'online'), 'online');
    const stats = await admin.info('commandstats');
    expect(stats).toMatch(/cmdstat_publish:calls=1,/);
    expect(stats).toMatch(/cmdstat_zadd:calls=1,/);
  });
});

describe('the cache store is away', () => {
  it('[PRES-6] sessions begin and end all the same, and everybody is held again soon after it is back, empty', async () => {
    await using own = await startRedis({ policy: 'allkeys-lru', appendonly: 'no' });
    await using node = await startPresenceNode({ url: own.url });
    const [ann, bob, eve] = [randomUUID(), randomUUID(), randomUUID()];
    node.sessions.begin(ann);
    const leave = node.sessions.begin(eve);
    await until(async () => (await statusOf(node, eve)) === 'online', 'online');
    await own.kill();
    await expect(node.presences.of([ann])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryAfterMs: expect.any(Number),
    });
    await expect(node.sessions.choose(ann, { status: 'away' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    node.sessions.begin(bob);
    leave();
    await own.restart();
    await until(async () => (await statusOf(node, ann).catch(() => null)) === 'online', 'ann is back');
    await until(async () => (await statusOf(node, bob)) === 'online', 'bob, too');
    expect(await statusOf(node, eve)).toBe('offline');
  });

  it('[PRES-6] who left meanwhile is let go of when it is back with what it knew', async () => {
    await using node = await start();
    const ann = randomUUID();
    const leave = node.sessions.begin(ann);
    await until(async () => (await statusOf(node, ann)) === 'online', 'online');
    // Alive, and silent: the node cannot tell it from one that is away.
    await admin.call('CLIENT', 'PAUSE', '3000');
    leave();
    await sleep(3_100);
    await until(async () => (await statusOf(node, ann).catch(() => null)) === 'offline', 'offline');
  });
});

describe('what is known of when users were seen', () => {
  it('[PRES-8] tells it in order of time, and forgets those who are gone for long with what their nodes left', async () => {
    await using own = await startRedis({ policy: 'allkeys-lru', appendonly: 'no' });
    await using dies = await startPresenceNode({ url: own.url, ttlMs: 600, heartbeatMs: 100 });
    await using lives = await startPresenceNode({ url: own.url, ttlMs: 600, heartbeatMs: 100 });
    const [ann, bob] = [randomUUID(), randomUUID()];
    dies.sessions.begin(ann);
    await until(async () => (await statusOf(lives, ann)) === 'online', 'ann');
    await dies.sessions.choose(ann, { status: 'busy', text: 'x' });
    lives.sessions.begin(bob);
    await until(async () => (await lives.presences.from(0, 10)).length === 2, 'both were seen');
    expect(await lives.presences.tidy(10)).toBe(0);
    await dies.die();
    await until(async () => (await lives.presences.from(0, 10))[0]?.userId === ann, 'ann was seen longer ago');
    const [seen] = await lives.presences.from(0, 1);
    const later = async () => (await lives.presences.from((seen?.at ?? 0) + 1, 10)).map(({ userId }) => userId);
    await until(async () => (await later())[0] === bob, 'bob was seen later');
    await until(async () => (await lives.presences.tidy(10)) === 1, 'ann is tidied up');
    const there = new Redis(own.url);
    expect(await there.hkeys(keys.presenceOf(ann))).toEqual(['l']);
    expect((await lives.presences.from(0, 10)).map(({ userId }) => userId)).toEqual([bob]);
    expect(await statusOf(lives, bob)).toBe('online');
    there.disconnect();
  });
});

it('[PRES-9] the gauges of a node say how many sessions are live, and are zero when the last has ended', async () => {
  await using node = await start();
  const value = async (name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await node.metrics.text())?.[1]);
  const [ann, bob] = [randomUUID(), randomUUID()];
  const ends = [node.sessions.begin(ann), node.sessions.begin(ann), node.sessions.begin(bob)];
  expect([await value('presence_sessions'), await value('presence_users')]).toEqual([3, 2]);
  for (const end of ends) end();
  expect([await value('presence_sessions'), await value('presence_users')]).toEqual([0, 0]);
});
