import { randomUUID } from 'node:crypto';
import type { BrokerEvents } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisBroker } from '../src/broker.ts';
import { close, connect, createConnection } from '../src/connections.ts';
import { windowKey } from '../src/keys.ts';
import { LogStore } from '../src/log-store.ts';
import { keys, silent, until } from './rig.ts';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server[Symbol.asyncDispose]();
});

async function startBroker(options: { echoEveryMs?: number; patienceMs?: number; url?: string } = {}) {
  const { url = server.url, ...rest } = options;
  const redis = createConnection({ url, kind: 'log', timeoutMs: 5_000, log: silent });
  const subscriber = createConnection({ url, kind: 'subscriber', log: silent });
  const heard: string[] = [];
  let suspicions = 0;
  const events: BrokerEvents = {
    channel: (channelId, line) => heard.push(`channel ${channelId} ${line}`),
    user: (userId, json) => heard.push(`user ${userId} ${json}`),
    everybody: (json) => heard.push(`everybody ${json}`),
    suspect: () => suspicions++,
  };
  await Promise.all([connect(redis, 5_000), connect(subscriber, 5_000)]);
  const broker = new RedisBroker({ store: new LogStore({ redis }), subscriber, keys, events, log: silent, ...rest });
  await broker.run();
  return {
    broker,
    heard,
    subscriber,
    suspicions: () => suspicions,
    publish: (channelId: string, line: string) => admin.publish(windowKey(keys.stemOf(channelId), channelId), line),
    async [Symbol.asyncDispose]() {
      await broker.stop();
      await Promise.all([close(redis), close(subscriber)]);
    },
  };
}

const subscribers = async (channelId: string) =>
  Number((await admin.pubsub('NUMSUB', windowKey(keys.stemOf(channelId), channelId)))[1]);

describe('broker', () => {
  it('[FAN-62] what is published after subscribe has resolved arrives, in order', async () => {
    await using rig = await startBroker();
    const channelId = randomUUID();
    await rig.broker.subscribe({ channelId });
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}`);
    for (const line of lines) await rig.publish(channelId, line);
    await until(() => rig.heard.length === 50, '50 lines');
    expect(rig.heard).toEqual(lines.map((line) => `channel ${channelId} ${line}`));
  });

  it('subscriptions are counted: the last one to leave ends it', async () => {
    await using rig = await startBroker();
    const channelId = randomUUID();
    await Promise.all([rig.broker.subscribe({ channelId }), rig.broker.subscribe({ channelId })]);
    rig.broker.unsubscribe({ channelId });
    await rig.broker.subscribe({ channelId: randomUUID() });
    expect(await subscribers(channelId)).toBe(1);
    rig.broker.unsubscribe({ channelId });
    await until(async () => (await subscribers(channelId)) === 0, 'no subscriber');
    rig.broker.unsubscribe({ channelId });
  });

  it('leaving and coming back in one turn keeps it', async () => {
    await using rig = await startBroker();
    const channelId = randomUUID();
    await rig.broker.subscribe({ channelId });
    rig.broker.unsubscribe({ channelId });
    await rig.broker.subscribe({ channelId });
    await rig.publish(channelId, 'still here');
    await until(() => rig.heard.length === 1, 'the line');
  });

  it('one SUBSCRIBE carries everything of a turn', async () => {
    await using rig = await startBroker();
    await admin.config('RESETSTAT');
    await Promise.all(Array.from({ length: 200 }, () => rig.broker.subscribe({ channelId: randomUUID() })));
    expect(await admin.info('commandstats')).toMatch(/cmdstat_subscribe:calls=1,/);
  });

  it('[FAN-63] hints reach the sessions of one user on any node, and nobody else', async () => {
    await using one = await startBroker();
    await using two = await startBroker();
    const [ann, bob] = [randomUUID(), randomUUID()];
    await Promise.all([one.broker.subscribe({ userId: ann }), two.broker.subscribe({ userId: bob })]);
    await two.broker.tellUser(ann, '{"type":"channel.added"}');
    await until(() => one.heard.length === 1, 'the hint');
    expect(one.heard).toEqual([`user ${ann} {"type":"channel.added"}`]);
    expect(two.heard).toEqual([]);
  });

  it('[FAN-64] after a lost connection everything is subscribed again before suspicion is raised', async () => {
    await using rig = await startBroker();
    const channels = Array.from({ length: 20 }, () => randomUUID());
    await Promise.all(channels.map((channelId) => rig.broker.subscribe({ channelId })));
    expect(rig.suspicions()).toBe(0);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until(() => rig.suspicions() === 1, 'suspicion');
    // At this very moment nothing may be missing.
    expect(await Promise.all(channels.map(subscribers))).toEqual(channels.map(() => 1));
    await rig.publish(channels[7] ?? '', 'after');
    await until(() => rig.heard.length === 1, 'the line');
  });

  it('control: what is published while the connection is away is lost, and only suspicion tells', async () => {
    await using rig = await startBroker();
    const channelId = randomUUID();
    await rig.broker.subscribe({ channelId });
    rig.subscriber.disconnect(true);
    await until(async () => (await subscribers(channelId)) === 0, 'gone');
    await rig.publish(channelId, 'missed');
    await until(() => rig.suspicions() === 1, 'suspicion');
    expect(rig.heard).toEqual([]);
  });

  it('a topic that is wanted while the connection is away is subscribed when it is back', async () => {
    await using rig = await startBroker();
    rig.subscriber.disconnect(true);
    await until(() => rig.subscriber.status !== 'ready', 'away');
    const channelId = randomUUID();
    await rig.broker.subscribe({ channelId });
    expect(await subscribers(channelId)).toBe(1);
  });

  it('a subscription that is not confirmed in time fails, and leaves nothing behind', async () => {
    await using other = await startRedis();
    await using rig = await startBroker({ url: other.url, patienceMs: 100 });
    await other.kill();
    const channelId = randomUUID();
    await expect(rig.broker.subscribe({ channelId })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await other.restart();
    await until(() => rig.suspicions() === 1, 'suspicion');
    const there = new Redis(other.url);
    expect(await there.pubsub('NUMSUB', windowKey(keys.stemOf(channelId), channelId))).toMatchObject({ 1: 0 });
    there.disconnect();
  });

  it('[FAN-65] a connection that carries nothing any more is replaced', async () => {
    await using rig = await startBroker({ echoEveryMs: 50 });
    const channelId = randomUUID();
    await rig.broker.subscribe({ channelId });
    // Half open: the socket stays, nothing comes through.
    (rig.subscriber as unknown as { stream: { pause(): void } }).stream.pause();
    await until(() => rig.suspicions() === 1, 'suspicion');
    await rig.publish(channelId, 'after');
    await until(() => rig.heard.length > 0, 'the line');
  });

  it('[FAN-101] a start in which subscribing fails is no failed start: it is tried again until it works', async () => {
    await using picky = await startRedis();
    const other = new Redis(picky.url);
    await other.call('ACL', 'SETUSER', 'default', '-subscribe');
    await using rig = await startBroker({ url: picky.url, patienceMs: 15_000 });
    const userId = randomUUID();
    const subscribed = rig.broker.subscribe({ userId });
    await other.call('ACL', 'SETUSER', 'default', '+subscribe');
    await subscribed;
    await rig.broker.tellUser(userId, '{}');
    await until(() => rig.heard.length === 1, 'the hint');
    other.disconnect();
  });

  it('a connection that works is left alone', async () => {
    await using rig = await startBroker({ echoEveryMs: 50 });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(rig.suspicions()).toBe(0);
  });
});
