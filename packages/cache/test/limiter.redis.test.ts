import { randomUUID } from 'node:crypto';
import { type Limit, type Limiter, NO_LOAD } from '@parley/domain';
import { type RedisServer, startRedis } from '@parley/testing';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Allowance, type Allowances, allowancesOf, shrink } from '../src/allowances.ts';
import { BacklogShare } from '../src/backlog-share.ts';
import { close, connect, createConnection } from '../src/connections.ts';
import { logKey } from '../src/keys.ts';
import { createLimiter, RedisLimiter, unlimited } from '../src/limiter.ts';
import { LogStore } from '../src/log-store.ts';
import { RateLedger } from '../src/rate-ledger.ts';
import { rate, span } from './allowance.ts';
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

const all = (allowance: Allowance): Allowances => {
  const limits: Limit[] = ['message.send', 'message.search', 'channel.create', 'channel.join', 'attachment.create'];
  const named = [...limits, 'session.ticket', 'http.query'].map((limit) => [limit, allowance]);
  return Object.fromEntries(named);
};
const limiterOf = (allowance: Allowance) => new RedisLimiter({ redis, keys, limits: all(allowance) });
/** One call costs `costMs`; ten may be made at once. */
const limiter = (costMs: number, burst = 10) => limiterOf(rate(costMs, burst));

const oneOfEach = {
  RATE_LIMIT_ENABLED: true,
  SEND_RATE_PER_MINUTE: 1,
  SEND_BURST: 1,
  SEARCHES_PER_MINUTE: 1,
  CHANNEL_CREATES_PER_HOUR: 1,
  CHANNEL_JOINS_PER_HOUR: 1,
  ATTACHMENTS_PER_HOUR: 1,
  TICKETS_PER_HOUR: 1,
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

  it('one key that goes away by itself, and one round trip when the store is asked', async () => {
    const of = limiter(1_000, 8);
    const userId = randomUUID();
    await takeMany(of, 5, userId);
    await redis.config('RESETSTAT');
    await takeMany(of, 3, userId);
    expect(await redis.info('commandstats')).toMatch(/cmdstat_evalsha:calls=3,/);
    const ttl = await redis.pttl(keys.limit('message.send', userId));
    expect(ttl).toBeGreaterThan(4_000);
    expect(ttl).toBeLessThanOrEqual(8_000);
  });

  it('[LIMIT-117] who is far from his limit costs no round trip, and is told of soon after, with all others in one', async () => {
    const of = limiter(60_000);
    const users = Array.from({ length: 20 }, () => randomUUID());
    await redis.config('RESETSTAT');
    for (const userId of users) expect((await takeMany(of, 5, userId)).every(({ allowed }) => allowed)).toBe(true);
    const told = () => Promise.all(users.map((userId) => redis.pttl(keys.limit('message.send', userId))));
    await expect.poll(async () => Math.min(...(await told()))).toBeGreaterThan(4 * 60_000);
    const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1]);
    // As many as there were tenths of a second meanwhile, but not one for each.
    expect(calls).toBeLessThan(users.length);
  });

  it('[LIMIT-117] what one thread allowed by itself counts on the others, and is paid back', async () => {
    const userId = randomUUID();
    const [one, other] = [limiter(60_000), limiter(60_000)];
    const key = keys.limit('message.send', userId);
    await takeMany(one, 5, userId);
    await expect.poll(() => redis.exists(key)).toBe(1);
    // The other one knows of nothing yet: half of the burst at most.
    expect((await takeMany(other, 20, userId)).filter(({ allowed }) => allowed)).toHaveLength(5);
    const refused = await one.take('message.send', userId);
    expect(refused.allowed).toBe(false);
    expect(await redis.pttl(key)).toBeGreaterThan(9 * 60_000);
  });

  it('[LIMIT-117] control: of threads that tell nobody each would allow the burst', async () => {
    const userId = randomUUID();
    const verdicts = [1, 2].map(() => {
      const ledger = new RateLedger({ now: () => 1_000, sleep: async () => undefined });
      return Array.from({ length: 20 }, () => ledger.allows(userId, { type: 'rate', costMs: 60_000, burst: 20 }, 1));
    });
    expect(verdicts.flat().filter(Boolean)).toHaveLength(20);
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
    const of = new RedisLimiter({ redis: away, keys, limits: all(rate(60_000, 4)), threads: 2 });
    const verdicts = await takeMany(of, 20, randomUUID());
    expect(verdicts.filter((verdict) => verdict.allowed)).toHaveLength(2);
    expect(verdicts.at(-1)?.retryAfterMs).toBeGreaterThan(60_000);
    const counted = new RedisLimiter({ redis: away, keys, limits: all(span(60_000, 4)), threads: 2 });
    const spans = await takeMany(counted, 20, randomUUID());
    expect(spans.filter((verdict) => verdict.allowed)).toHaveLength(2);
    expect(spans.at(-1)?.retryAfterMs).toBeGreaterThan(59_000);
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

  it('[LIMIT-107] each limit has a setting of its own', async () => {
    const named = {
      ...oneOfEach,
      SEARCHES_PER_MINUTE: 2,
      CHANNEL_CREATES_PER_HOUR: 3,
      CHANNEL_JOINS_PER_HOUR: 4,
      ATTACHMENTS_PER_HOUR: 5,
      TICKETS_PER_HOUR: 6,
      HTTP_QUERIES_PER_HOUR: 7,
    };
    const of = createLimiter(named, { redis, keys });
    const userId = randomUUID();
    const allowed: Record<string, number> = {};
    for (const limit of Object.keys(allowancesOf(named)) as Limit[]) {
      for (allowed[limit] = 0; (await of.take(limit, userId)).allowed; ) allowed[limit]++;
    }
    expect(allowed).toEqual({
      'message.send': 1,
      'message.search': 2,
      'channel.create': 3,
      'channel.join': 4,
      'attachment.create': 5,
      'session.ticket': 6,
      'http.query': 7,
    });
  });

  it('[LIMIT-108] users of the allowlist have no limits, without a round trip; others do', async () => {
    const [bot, ann] = [randomUUID(), randomUUID()];
    const of = createLimiter(oneOfEach, { redis, keys, exempt: new Set([bot]) });
    await redis.config('RESETSTAT');
    expect((await takeMany(of, 20, bot)).every((verdict) => verdict.allowed)).toBe(true);
    expect(await redis.info('commandstats')).not.toMatch(/evalsha/);
    expect((await takeMany(of, 2, ann)).map((verdict) => verdict.allowed)).toEqual([true, false]);
  });

  it('control: switched on, the same settings refuse', async () => {
    const of = createLimiter(oneOfEach, { redis, keys });
    expect((await takeMany(of, 2, randomUUID())).map((verdict) => verdict.allowed)).toEqual([true, false]);
  });
});

/** Calls one after the other for some time; the times between which each allowed one was counted. */
async function hammer(of: Limiter, forMs: number) {
  const userId = randomUUID();
  const allowed: { before: number; after: number }[] = [];
  for (const end = performance.now() + forMs; performance.now() < end; ) {
    const before = performance.now();
    if ((await of.take('http.query', userId)).allowed) allowed.push({ before, after: performance.now() });
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  return allowed;
}

/** Whether some span held more calls than `most`, as far as can be said from outside. */
function overfull(allowed: Awaited<ReturnType<typeof hammer>>, spanMs: number, most: number): boolean {
  return allowed.some(({ before }, i) => (allowed[i + most]?.after ?? Number.POSITIVE_INFINITY) - before < spanMs);
}

describe('sliding windows', () => {
  it('[LIMIT-100] no span holds more calls than it may, however they are spread', async () => {
    const allowed = await hammer(limiterOf(span(600, 6)), 2_400);
    expect(allowed.length).toBeGreaterThanOrEqual(12);
    expect(overfull(allowed, 600, 6)).toBe(false);
  });

  it('[LIMIT-100] control: a rate with the same burst lets nearly twice as many through', async () => {
    const allowed = await hammer(limiterOf(rate(100, 6)), 1_200);
    expect(overfull(allowed, 600, 6)).toBe(true);
  });

  it('[LIMIT-101] a refusal says exactly when the same call is allowed', async () => {
    const of = limiterOf(span(600, 2));
    const userId = randomUUID();
    for (let i = 0; i < 3; i++) {
      const [, , refused] = await takeMany(of, 3, userId);
      expect(refused?.allowed).toBe(false);
      await new Promise((resolve) => setTimeout(resolve, (refused?.retryAfterMs ?? 0) + 2));
      expect(await of.take('message.send', userId)).toMatchObject({ allowed: true });
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
  });

  it('[LIMIT-102] several calls at once are taken whole or not at all', async () => {
    const of = limiterOf(span(60_000, 10));
    const userId = randomUUID();
    expect(await of.take('http.query', userId, 7)).toMatchObject({ allowed: true });
    expect(await of.take('http.query', userId, 4)).toMatchObject({ allowed: false });
    expect(await of.take('http.query', userId, 3)).toMatchObject({ allowed: true });
    expect(await of.take('http.query', userId)).toMatchObject({ allowed: false });
    const more = await of.take('http.query', randomUUID(), 11);
    expect(more.allowed).toBe(false);
    expect(more.retryAfterMs).toBeGreaterThan(0);
  });

  it('[LIMIT-103] one user costs 61 numbers, whatever the limit, and goes away by himself', async () => {
    const of = limiterOf(span(120, 1_000_000));
    const userId = randomUUID();
    for (const end = performance.now() + 400; performance.now() < end; ) await of.take('http.query', userId);
    const key = keys.calls('http.query', userId);
    expect(await redis.hlen(key)).toBeLessThanOrEqual(61);
    expect(await redis.pttl(key)).toBeLessThanOrEqual(122);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await redis.exists(key)).toBe(0);
  });

  it('[LIMIT-113] under load a limit shrinks at once, and what was counted before counts', async () => {
    let factors = NO_LOAD;
    const of = new RedisLimiter({ redis, keys, limits: all(span(60_000, 10)), factors: () => factors });
    const userId = randomUUID();
    await takeMany(of, 4, userId);
    factors = { sends: 1, calls: 0.5 };
    expect((await takeMany(of, 2, userId)).map(({ allowed }) => allowed)).toEqual([true, false]);
    factors = NO_LOAD;
    expect((await takeMany(of, 6, userId)).map(({ allowed }) => allowed)).toEqual([...Array(5).fill(true), false]);
  });

  it('[LIMIT-113] shrunk allowances are never above the whole, never below one call', () => {
    for (let factor = 0; factor <= 1.5; factor += 0.05) {
      for (const whole of [1, 2, 5, 1_000]) {
        const factors = { sends: factor, calls: factor };
        const [counted, spent] = [shrink(span(1, whole), factors), shrink(rate(10, whole), factors)];
        for (const calls of [counted.type === 'span' && counted.calls, spent.type === 'rate' && spent.burst]) {
          expect(calls).toBeGreaterThanOrEqual(1);
          expect(calls).toBeLessThanOrEqual(whole);
        }
        if (spent.type === 'rate') expect(spent.burst * spent.costMs).toBeCloseTo(10 * whole);
      }
    }
  });
});

describe('backlog share', () => {
  it('[LIMIT-114] is that of the fullest partition, and nothing while the store is away', async () => {
    const log = createConnection({ url: server.url, kind: 'log', timeoutMs: 5_000, log: silent });
    await connect(log, 10_000);
    const store = new LogStore({ redis: log });
    const share = new BacklogShare({ store, keys, backlogMaxEntries: 10, log: silent, everyMs: 5 });
    const [one = '', two = ''] = keys.stems;
    for (let i = 0; i < 4; i++) await redis.xadd(logKey(one), '*', 'l', 'x');
    await redis.xadd(logKey(two), '*', 'l', 'x');
    share.run();
    await expect.poll(() => share.fullest).toBe(0.4);
    await redis.del(logKey(one), logKey(two));
    await expect.poll(() => share.fullest).toBe(0);
    await redis.xadd(logKey(one), '*', 'l', 'x');
    await expect.poll(() => share.fullest).toBe(0.1);
    await close(log);
    await expect.poll(() => share.fullest).toBe(0);
    await share.stop();
    await redis.del(logKey(one));
  });
});
