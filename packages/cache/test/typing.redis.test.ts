import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EphemeralEvents } from '@parley/domain';
import { createMetrics } from '@parley/runtime';
import { type RedisServer, startRedis } from '@parley/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CacheStore } from '../src/cache-store.ts';
import { close, connect, createConnection } from '../src/connections.ts';
import { RedisEphemeralBroker } from '../src/ephemeral-broker.ts';
import { RedisTyping } from '../src/typing.ts';
import { keys, silent, until } from './rig.ts';

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

async function startNode(ttlMs = 3_000) {
  const redis = createConnection({ url: server.url, kind: 'cache', timeoutMs: 5_000, log: silent });
  const subscriber = createConnection({ url: server.url, kind: 'subscriber', log: silent });
  await Promise.all([connect(redis, 5_000), connect(subscriber, 5_000)]);
  const heard: string[] = [];
  let suspicions = 0;
  const events: EphemeralEvents = {
    presence: (json) => heard.push(`presence ${json}`),
    typing: (channelId, json) => heard.push(`${channelId} ${JSON.parse(json).typing}`),
    suspect: () => suspicions++,
  };
  const store = new CacheStore(redis);
  const metrics = createMetrics();
  const broker = new RedisEphemeralBroker({ store, subscriber, keys, events, log: silent, metrics });
  await broker.run();
  return {
    broker,
    heard,
    metrics,
    suspicions: () => suspicions,
    typing: new RedisTyping({ store, keys, ttlMs }),
    async [Symbol.asyncDispose]() {
      await broker.stop();
      await Promise.all([close(redis), close(subscriber)]);
    },
  };
}

const subscribers = async (channelId: string) => Number((await admin.pubsub('NUMSUB', keys.typing(channelId)))[1]);

/** Listens, and knows that it does. */
async function listenTo(node: Awaited<ReturnType<typeof startNode>>, channelId: string) {
  const before = await subscribers(channelId);
  const unlisten = node.broker.listen({ typingIn: channelId });
  await until(async () => (await subscribers(channelId)) > before, 'subscribed');
  return unlisten;
}

describe('typing', () => {
  it('[TYPE-1] is published once a second for each user and channel, whatever node he says it to', async () => {
    await using one = await startNode();
    await using two = await startNode();
    const [channelId, other, ann, bob] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    await Promise.all([listenTo(one, channelId), listenTo(one, other)]);
    const says = (userId: string) => ({ userId, typing: true, after: null });
    for (let i = 0; i < 20; i++) await (i % 2 ? one : two).typing.say(channelId, says(ann));
    await one.typing.say(channelId, says(bob));
    await one.typing.say(other, says(ann));
    await until(() => one.heard.length === 3, 'three');
    await sleep(1_050);
    expect(one.heard).toEqual([`${channelId} true`, `${channelId} true`, `${other} true`]);
    await two.typing.say(channelId, says(ann));
    await until(() => one.heard.length === 4, 'after a second it goes on');
  });

  it('[TYPE-1] is published again at once by who has written meanwhile', async () => {
    await using node = await startNode();
    const [channelId, ann] = [randomUUID(), randomUUID()];
    await listenTo(node, channelId);
    await node.typing.say(channelId, { userId: ann, typing: true, after: '1-1' });
    await node.typing.say(channelId, { userId: ann, typing: true, after: '1-1' });
    await node.typing.say(channelId, { userId: ann, typing: true, after: '1-2' });
    await until(() => node.heard.length === 2, 'two');
    await sleep(100);
    expect(node.heard).toHaveLength(2);
  });

  it('[TYPE-2] says how long it holds; an end is published when there was a beginning', async () => {
    await using node = await startNode(2_000);
    const [channelId, ann] = [randomUUID(), randomUUID()];
    await listenTo(node, channelId);
    const say = (typing: boolean) => node.typing.say(channelId, { userId: ann, typing, after: null });
    expect(await say(false)).toBe(0);
    expect(await say(true)).toBe(2_000);
    await sleep(50);
    const left = await say(true);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(2_000);
    expect(await say(false)).toBe(0);
    expect(await say(false)).toBe(0);
    expect(await say(true)).toBe(2_000);
    await until(() => node.heard.length === 3, 'three');
    expect(node.heard.map((line) => line.split(' ')[1])).toEqual(['true', 'false', 'true']);
    await until(async () => (await admin.exists(`${keys.typing(channelId)}:${ann}`)) === 0, 'nothing is left');
  });

  it('[TYPE-3] topics are counted and return to zero; nobody waits for them, and they outlive their connection', async () => {
    await using node = await startNode();
    const channels = Array.from({ length: 20 }, () => randomUUID());
    const ends = [...channels, ...channels].map((typingIn) => node.broker.listen({ typingIn }));
    ends.push(node.broker.listen('presence'));
    await until(async () => (await subscribers(channels[19] ?? '')) === 1, 'subscribed');
    const gauge = async () => /^ephemeral_topics (\d+)$/m.exec(await node.metrics.text())?.[1];
    expect(await gauge()).toBe('21');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => node.suspicions() === 1, 'suspicion');
    expect(await Promise.all(channels.map(subscribers))).toEqual(channels.map(() => 1));
    await admin.publish(keys.presence, '[]');
    await until(() => node.heard.length === 1, 'presence');
    for (const end of ends.slice(0, 20)) {
      end();
      end();
    }
    expect(await gauge()).toBe('21');
    for (const end of ends) end();
    expect(await gauge()).toBe('0');
    await until(async () => (await Promise.all(channels.map(subscribers))).every((n) => n === 0), 'no subscriber');
  });
});
