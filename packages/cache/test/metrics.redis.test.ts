import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics, type Metrics } from '@parley/runtime';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { close, connect, createConnection, createMemoryWatch, LogClock, LogStore } from '../src/index.ts';
import { FakeLedger, FakeSource, keys, send, settleAll, startNode } from './rig.ts';

const log = createLog({ name: 'test', level: 'silent' });
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis({ maxmemory: '64mb' });
});
afterAll(() => server[Symbol.asyncDispose]());

async function open(metrics?: Metrics) {
  const redis = createConnection({ url: server.url, kind: 'log', timeoutMs: 5_000, log, metrics });
  await connect(redis, 10_000);
  return Object.assign(redis, { [Symbol.asyncDispose]: () => close(redis) });
}

/** The value of a series as a scrape shows it. */
async function value(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

describe('a measured connection', () => {
  it('[MET-8] times every command, those of a pipeline too, and counts what failed', async () => {
    const metrics = createMetrics();
    await using redis = await open(metrics);
    await redis.set('a', '1');
    await redis.pipeline().get('a').get('b').exec();
    await expect(redis.call('incr', 'a', 'b')).rejects.toThrow();
    // Without a script: its text comes next, so nothing has failed.
    await expect(redis.evalsha('0'.repeat(40), 0)).rejects.toThrow('NOSCRIPT');
    const count = (command: string) => value(metrics, `redis_command_seconds_count{store="log",command="${command}"}`);
    expect([await count('set'), await count('get')]).toEqual([1, 2]);
    expect(await value(metrics, 'redis_command_failures_total{store="log"}')).toBe(1);
  });

  it('[MET-8] counts how often it came back', async () => {
    const metrics = createMetrics();
    await using redis = await open(metrics);
    expect(await value(metrics, 'redis_reconnects_total{store="log"}')).toBe(0);
    redis.disconnect(true);
    await expect.poll(() => value(metrics, 'redis_reconnects_total{store="log"}'), { timeout: 10_000 }).toBe(1);
  });
});

describe('the clock of the log store', () => {
  const aheadMs = 7_000;
  const skewed = () => Date.now() - aheadMs;

  it('[MET-7] a thread whose own clock is wrong knows the time by which messages are stamped', async () => {
    await using redis = await open();
    const clock = new LogClock({ store: new LogStore({ redis }), log, here: skewed, everyMs: 20 });
    // Control: before it has asked, it is as wrong as the machine.
    expect(clock.now()).toBeLessThan(Date.now() - aheadMs + 1_000);
    clock.run();
    await expect.poll(() => Math.abs(clock.offsetMs - aheadMs)).toBeLessThan(1_000);
    const [seconds] = await redis.time();
    expect(Math.abs(clock.now() - Number(seconds) * 1_000)).toBeLessThan(3_000);
    expect(clock.secondsSince(clock.now() - 2_000)).toBeGreaterThanOrEqual(2);
    expect(clock.secondsSince(clock.now() + 60_000)).toBe(0);
    await clock.stop();
  });
});

describe('what waits', () => {
  it('[MET-9] the backlog is what was accepted and not settled, over all partitions, and how much was ever accepted', async () => {
    const ledger = new FakeLedger();
    const source = new FakeSource(ledger);
    await using node = await startNode({ url: server.url, ledger, source });
    await node.epochs.run();
    const [owner, channels] = [randomUUID(), [] as string[]];
    expect(await node.drain.backlog()).toEqual({ waiting: 0, added: 0 });
    for (let i = 0; i < 3; i++) {
      const channelId = source.add([owner]);
      channels.push(channelId);
      await node.log.load(channelId);
      await send(node, channelId, owner);
      await send(node, channelId, owner);
    }
    expect(await node.drain.backlog()).toEqual({ waiting: 6, added: 6 });
    for (const channelId of channels.slice(1)) await settleAll(node, ledger, channelId);
    const { waiting, added } = await node.drain.backlog();
    expect(added).toBe(6);
    expect(waiting).toBeLessThanOrEqual(2);
    expect(keys.stems).toHaveLength(64);
  });

  it('[MET-9] memory of a server is told while it is there, and not made up when it is away', async () => {
    const metrics = createMetrics();
    await using redis = await open();
    const watch = createMemoryWatch({ stores: { log: redis, cache: redis }, metrics, log, everyMs: 20 });
    watch.run();
    const used = () => value(metrics, 'redis_memory_used_bytes{store="log"}');
    await expect.poll(used).toBeGreaterThan(100_000);
    expect(await value(metrics, 'redis_memory_max_bytes{store="cache"}')).toBe(64 * 1_024 * 1_024);
    redis.disconnect();
    await expect.poll(used).toBeUndefined();
    await sleep(1);
    await watch.stop();
  });
});
