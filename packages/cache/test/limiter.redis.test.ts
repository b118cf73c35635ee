import { randomUUID } from 'node:crypto';
import type { Limiter } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { close, connect, createConnection } from '../src/connections.ts';
import { createLimiter, RedisLimiter, unlimited } from '../src/limiter.ts';
import { LocalBuckets } from '../src/local-buckets.ts';
import { keys, silent } from './rig.ts';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis({ policy: 'allkeys-lru' });
  redis = createConnection({ url: server.url, kind: 'cache', timeoutMs: 5_000, log: silent });
  await connect(redis, 10_000);
});
afterAll(async () => {
  await close(redis);
  await server[Symbol.asyncDispose]();
});

/** One call costs `costMs`; ten may be made at once. */
function limiter(costMs: number, burst = 10) {
  const allowance = { costMs, burst };
  const limits = {
    'message.send': allowance,
    'channel.create': allowance,
    'channel.join': allowance,
    'http.query': allowance,
  };
  return new RedisLimiter({ redis, keys, limits });
}

const oneOfEach = {
  RATE_LIMIT_ENABLED: true,
  SEND_RATE_PER_MINUTE: 1,
  SEND_BURST: 1,
  CHANNEL_JOINS_PER_HOUR: 20,
  CHANNEL_CREATES_PER_HOUR: 1,
  HTTP_QUERIES_PER_HOUR: 1,
};

async function takeMany(of: Limiter, count: number, userId: string) {
  const verdicts = [];
  for (let i = 0; i < count; i++) verdicts.push(await of.take('message.send', userId));
  return verdicts;
}

describe('limiter', () => {
  it('[LIMIT-62] a full allowance holds the burst and no more; the refusal says how long to wait', async () => {
    const verdicts = await takeMany(limiter(60_000), 12, randomUUID());
    expect(verdicts.map((verdict) => verdict.allowed)).toEqual([...Array(10).fill(true), false, false]);
    for (const { retryAfterMs } of verdicts.slice(10)) {
      expect(retryAfterMs).toBeGreaterThan(50_000);
      expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    }
  });

  it('[LIMIT-63] the allowance comes back with time, and after retryAfterMs the call is allowed', async () => {
    const of = limiter(300, 2);
    const userId = randomUUID();
    const refused = (await takeMany(of, 3, userId)).at(-1);
    expect(refused?.allowed).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, (refused?.retryAfterMs ?? 0) + 20));
    expect(await of.take('message.send', userId)).toMatchObject({ allowed: true });
  });

  it('users and limits do not share an allowance', async () => {
    const of = limiter(60_000, 1);
    const [ann, bob] = [randomUUID(), randomUUID()];
    expect(await of.take('message.send', ann)).toMatchObject({ allowed: true });
    expect(await of.take('message.send', bob)).toMatchObject({ allowed: true });
    expect(await of.take('channel.create', ann)).toMatchObject({ allowed: true });
    expect(await of.take('message.send', ann)).toMatchObject({ allowed: false });
  });

  it('one key that goes away by itself, and one round trip', async () => {
    const of = limiter(1_000, 5);
    const userId = randomUUID();
    await of.take('message.send', userId);
    await redis.config('RESETSTAT');
    await takeMany(of, 3, userId);
    expect(await redis.info('commandstats')).toMatch(/cmdstat_evalsha:calls=3,/);
    const ttl = await redis.pttl(keys.limit('message.send', userId));
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(4_000);
  });

  it('a store that has lost its scripts is given the text again', async () => {
    const of = limiter(60_000, 1);
    const userId = randomUUID();
    await redis.script('FLUSH');
    expect(await of.take('message.send', userId)).toMatchObject({ allowed: true });
    expect(await of.take('message.send', userId)).toMatchObject({ allowed: false });
  });

  it('[DEG-61] without the cache store this thread counts by itself', async () => {
    const away = createConnection({ url: 'redis://127.0.0.1:1', kind: 'cache', timeoutMs: 100, log: silent });
    const allowance = { costMs: 60_000, burst: 4 };
    const limits = {
      'message.send': allowance,
      'channel.create': allowance,
      'channel.join': allowance,
      'http.query': allowance,
    };
    const of = new RedisLimiter({ redis: away, keys, limits, threads: 2 });
    const verdicts = await takeMany(of, 20, randomUUID());
    expect(verdicts.filter((verdict) => verdict.allowed)).toHaveLength(2);
    expect(verdicts.at(-1)?.retryAfterMs).toBeGreaterThan(60_000);
    await close(away);
  });

  it('[LIMIT-64] RATE_LIMIT_ENABLED=false allows everything without a round trip', async () => {
    const of = createLimiter({ ...oneOfEach, RATE_LIMIT_ENABLED: false }, { redis, keys });
    expect(of).toBe(unlimited);
    await redis.config('RESETSTAT');
    const verdicts = await takeMany(of, 50, randomUUID());
    expect(verdicts.every((verdict) => verdict.allowed)).toBe(true);
    expect(await redis.info('commandstats')).not.toMatch(/evalsha/);
  });

  it('the settings name every limit', async () => {
    const of = createLimiter(
      { ...oneOfEach, CHANNEL_JOINS_PER_HOUR: 20, CHANNEL_CREATES_PER_HOUR: 3, HTTP_QUERIES_PER_HOUR: 2 },
      { redis, keys },
    );
    const userId = randomUUID();
    const allowed = async (limit: 'channel.create' | 'http.query') => {
      let count = 0;
      while ((await of.take(limit, userId)).allowed) count++;
      return count;
    };
    expect([await allowed('channel.create'), await allowed('http.query')]).toEqual([3, 2]);
  });

  it('control: switched on, the same settings refuse', async () => {
    const of = createLimiter(oneOfEach, { redis, keys });
    expect((await takeMany(of, 2, randomUUID())).map((verdict) => verdict.allowed)).toEqual([true, false]);
  });
});

describe('local buckets', () => {
  const clock = { at: 1_000_000, now: () => clock.at, sleep: async () => undefined };

  it('refill as time goes by', () => {
    const buckets = new LocalBuckets(1, clock);
    const allowance = { costMs: 100, burst: 2 };
    const take = () => buckets.take('ann', allowance);
    expect([take(), take(), take()]).toEqual([0, 0, 100]);
    clock.at += 60;
    expect(take()).toBe(40);
    clock.at += 40;
    expect([take(), take()]).toEqual([0, 100]);
    clock.at += 10_000;
    expect([take(), take(), take()]).toEqual([0, 0, 100]);
  });

  it('a flood of different users does not grow without bound', () => {
    const buckets = new LocalBuckets(1, clock);
    const allowance = { costMs: 100, burst: 1 };
    for (let i = 0; i < 100_000; i++) expect(buckets.take(`user ${i}`, allowance)).toBe(0);
    expect(buckets.size).toBeLessThanOrEqual(10_000);
  });
});
