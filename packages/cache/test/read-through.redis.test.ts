import { randomUUID } from 'node:crypto';
import type { CopyShapes } from '@parley/domain';
import { createMetrics, type Metrics } from '@parley/runtime';
import { type RedisServer, startRedis } from '@parley/testing';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CACHE_NAMES, CACHES } from '../src/cache-table.ts';
import { close, connect, createConnection } from '../src/connections.ts';
import { cachesOff, ReadThrough } from '../src/read-through.ts';
import { keys, silent, until } from './rig.ts';

let server: RedisServer;
let redis: Redis;
let metrics: Metrics;
const threads: ReadThrough[] = [];

beforeAll(async () => {
  server = await startRedis({ policy: 'allkeys-lru' });
  redis = createConnection({ url: server.url, kind: 'cache', timeoutMs: 5_000, log: silent });
  await connect(redis, 10_000);
});
beforeEach(async () => {
  metrics = createMetrics();
  await redis.flushall();
});
afterEach(async () => {
  await Promise.all(threads.splice(0).map((one) => one.stop()));
});
afterAll(async () => {
  await close(redis);
  await server[Symbol.asyncDispose]();
});

/** What one thread has: each has its own loads under way, and all of them one store. */
function thread(off: string[] = [], on: Redis = redis): ReadThrough {
  const one = new ReadThrough({ redis: on, keys, off: new Set(off), metrics });
  threads.push(one);
  return one;
}

const stats = (messages: number): CopyShapes['stats'] => ({ messages, members: 1, activeMembers: 1, perDay: [] });
const kept = <T>(value: T) => ({ value, keep: true });
const own = (...ids: string[]) => ids.map((id) => ({ id, createdAt: 1, mutedUntil: null }));

/** A source that counts how often it is asked, and answers when it is let. */
function source<T>(answer: T) {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const made = { asked: 0, begun: asked.promise, open: gate.resolve, load: async () => kept(answer) };
  made.load = async () => {
    made.asked++;
    asked.resolve();
    await gate.promise;
    return kept(answer);
  };
  return made;
}

async function counted(cache: string, outcome: string): Promise<number> {
  const text = await metrics.text();
  const line = new RegExp(`^cache_requests_total\\{cache="${cache}",outcome="${outcome}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1] ?? 0);
}

describe('copies', () => {
  it('[CACHE-1] are read by every thread without asking the source, and counted by cache and outcome', async () => {
    const channelId = randomUUID();
    expect(await thread().one('stats', channelId, async () => kept(stats(1)))).toEqual(stats(1));
    expect(await thread().one('stats', channelId, async () => kept(stats(2)))).toEqual(stats(1));
    expect(await counted('stats', 'miss')).toBe(1);
    expect(await counted('stats', 'hit')).toBe(1);
  });

  it('of many, only those that are missing are loaded, by one load', async () => {
    const users = [1, 2, 3].map((n) => ({
      id: `20000000-0000-4000-8000-00000000000${n}`,
      name: `${n}`,
      avatarUrl: null,
      status: 'offline' as const,
      statusText: null,
      lastSeenAt: null,
    }));
    const asked: (readonly string[])[] = [];
    const read = (ids: string[]) =>
      thread().many('users', ids, async (missing) => {
        asked.push(missing);
        return new Map(users.filter(({ id }) => missing.includes(id)).map((user) => [user.id, kept(user)]));
      });
    const [a = '', b = '', c = ''] = users.map(({ id }) => id);
    await read([a]);
    const found = await read([a, b, c, 'nobody']);
    expect([...found.keys()].sort()).toEqual([a, b, c]);
    expect(asked).toEqual([[a], [b, c, 'nobody']]);
  });

  it.each(CACHE_NAMES)('[CACHE-2] %s live as long as the table says, less a random part', async (name) => {
    const { ttlS, jitter } = CACHES[name as keyof typeof CACHES];
    await thread().one(name as 'stats', 'k', async () => kept(null as never));
    const left = await redis.pttl(keys.copy(name as 'stats', 'k').copy);
    expect(left).toBeGreaterThan(ttlS * 1_000 * (1 - jitter) - 5_000);
    expect(left).toBeLessThanOrEqual(ttlS * 1_000);
  });

  it('[CACHE-3] above a kilobyte are compressed; above 64 kilobytes they are not kept', async () => {
    const large = own(...Array.from({ length: 300 }, () => randomUUID()));
    const huge = own(...Array.from({ length: 2_000 }, () => randomUUID()));
    await thread().one('sets', 'small', async () => kept(own(randomUUID())));
    await thread().one('sets', 'large', async () => kept(large));
    await thread().one('sets', 'huge', async () => kept(huge));
    const [small, big] = await Promise.all(
      ['small', 'large'].map((key) => redis.getBuffer(keys.copy('sets', key).copy)),
    );
    expect(small?.toString()).toContain('"createdAt":1');
    expect(big?.length).toBeLessThan(JSON.stringify(large).length / 1.5);
    expect(await thread().one('sets', 'large', () => Promise.reject(new Error('asked')))).toEqual(large);
    expect(await redis.exists(keys.copy('sets', 'huge').copy)).toBe(0);
  });

  it('[CACHE-4] that cannot be read, are another key’s, or have another shape are dropped and read anew', async () => {
    const place = (key: string) => keys.copy('stats', key).copy;
    await thread().one('stats', 'other', async () => kept(stats(7)));
    const foreign = (await redis.getBuffer(place('other'))) ?? '';
    const shapeless = `j${JSON.stringify([place('k'), Date.now() + 60_000, null, { messages: 'many' }])}`;
    const poison = ['', 'x', 'j', 'j{', 'jnull', 'zzzz', foreign, shapeless, Buffer.from([0x7a, 0xff, 0xfe])];
    for (const [i, bytes] of poison.entries()) {
      await redis.set(place('k'), bytes);
      expect(await thread().one('stats', 'k', async () => kept(stats(i)))).toEqual(stats(i));
      expect(await thread().one('stats', 'k', async () => kept(stats(-1)))).toEqual(stats(i));
    }
    expect(await counted('stats', 'error')).toBe(poison.length);
  });

  it('what its source says must not be kept is answered and not kept', async () => {
    const load = async () => ({ value: stats(1), keep: false });
    expect(await thread().one('stats', 'k', load)).toEqual(stats(1));
    expect(await redis.exists(keys.copy('stats', 'k').copy)).toBe(0);
  });
});

describe('[CACHE-5] a hundred callers at once', () => {
  const callers = async (of: ReadThrough[]) => {
    const from = source(stats(1));
    const calls = of.flatMap((one) => Array.from({ length: 100 }, () => one.one('stats', 'k', from.load)));
    await from.begun;
    // Whoever does not share a load has begun one by now.
    await until(async () => (await counted('stats', 'miss')) === calls.length || off(of), 'all have asked');
    from.open();
    expect(await Promise.all(calls)).toEqual(calls.map(() => stats(1)));
    return from.asked;
  };
  const off = (of: ReadThrough[]) => of.every((one) => uncached.has(one));
  const uncached = new Set<ReadThrough>();

  it('make one load on one thread, two on two', async () => {
    expect(await callers([thread()])).toBe(1);
    await redis.flushall();
    metrics = createMetrics();
    expect(await callers([thread(), thread()])).toBe(2);
  });

  it('control: without the cache they make a hundred', async () => {
    const one = thread(['stats']);
    uncached.add(one);
    expect(await callers([one])).toBe(100);
  });
});

describe('a change', () => {
  const race = async (name: 'sets' | 'pages', forget: () => Promise<void>) => {
    const old = source<never>((name === 'sets' ? own() : { items: [], hasBefore: true, hasAfter: true }) as never);
    const slow = thread().one(name, 'k', old.load);
    await old.begun;
    await forget();
    old.open();
    await slow;
    return redis.exists(keys.copy(name, 'k').copy);
  };

  it('[CACHE-6] is not undone by a refill that began before it', async () => {
    expect(await race('sets', () => thread().changed('sets', ['k']))).toBe(0);
    const id = randomUUID();
    expect(await thread().one('sets', 'k', async () => kept(own(id)))).toEqual(own(id));
    expect(await redis.exists(keys.copy('sets', 'k').copy)).toBe(1);
  });

  it('[CACHE-6] the control: without a generation the old one would be kept', async () => {
    expect(await race('pages', () => thread().changed('pages', ['k']))).toBe(1);
    expect(await race('sets', async () => undefined)).toBe(1);
  });

  it('[CACHE-7] is not undone either when the generation itself was lost', async () => {
    const lost = async () => {
      await thread().changed('sets', ['k']);
      await redis.flushall();
    };
    expect(await race('sets', lost)).toBe(0);
    expect(await race('sets', async () => void (await redis.flushall()))).toBe(0);
  });

  it('two changes at once are two generations', async () => {
    const { generation } = keys.copy('sets', 'k');
    const seen = new Set<string | null>();
    for (let i = 0; i < 50; i++) {
      await thread().changed('sets', ['k']);
      seen.add(await redis.get(generation));
    }
    expect(seen.size).toBe(50);
    // Numbers of 16 digits, written whole.
    for (const one of seen) expect(one).toMatch(/^\d{16}$/);
  });

  it('[CACHE-8] is seen by whoever asks after it, though a load that began before it is still under way', async () => {
    const one = thread();
    const old = source(own());
    const slow = one.one('sets', 'k', old.load);
    await old.begun;
    await thread().changed('sets', ['k']);
    const id = randomUUID();
    expect(await one.one('sets', 'k', async () => kept(own(id)))).toEqual(own(id));
    old.open();
    expect(await slow).toEqual([]);
    expect(await thread().one('sets', 'k', () => Promise.reject(new Error('asked')))).toEqual(own(id));
  });

  it('[CACHE-15] of a whole cache ends all of its copies, and what is being read for it', async () => {
    const page = (n: number) => ({ items: [], hasBefore: n === 1, hasAfter: false });
    await thread().one('pages', 'a', async () => kept(page(1)));
    const old = source(page(1));
    const slow = thread().one('pages', 'b', old.load);
    await old.begun;
    await thread().clear('pages');
    old.open();
    await slow;
    for (const key of ['a', 'b']) {
      expect(await thread().one('pages', key, async () => kept(page(2)))).toEqual(page(2));
      expect(await thread().one('pages', key, () => Promise.reject(new Error('asked')))).toEqual(page(2));
    }
    // The control: another cache keeps its own.
    await thread().one('sets', 'a', async () => kept(own()));
    await thread().clear('pages');
    expect(await thread().one('sets', 'a', () => Promise.reject(new Error('asked')))).toEqual([]);
  });

  it('[CACHE-9] reaches others also from a thread that uses no copies', async () => {
    await thread().one('sets', 'k', async () => kept(own()));
    await thread([...CACHE_NAMES]).changed('sets', ['k']);
    expect(await redis.exists(keys.copy('sets', 'k').copy)).toBe(0);
  });
});

describe('[CACHE-10] a copy that ends soon', () => {
  it('is read anew by one thread, while everybody goes on with it', async () => {
    await thread().one('stats', 'k', async () => kept(stats(1)));
    const { copy } = keys.copy('stats', 'k');
    await redis.set(copy, `j${JSON.stringify([copy, Date.now() + 5_000, null, stats(1)])}`, 'PX', 5_000);
    const from = source(stats(2));
    const of = [thread(), thread(), thread()];
    for (const one of of) expect(await one.one('stats', 'k', from.load)).toEqual(stats(1));
    await from.begun;
    from.open();
    await until(async () => (await redis.pttl(copy)) > 60_000, 'it was renewed');
    expect(from.asked).toBe(1);
    expect(await thread().one('stats', 'k', () => Promise.reject(new Error('asked')))).toEqual(stats(2));
  });

  it('control: one that has long to go is left alone', async () => {
    await thread().one('stats', 'k', async () => kept(stats(1)));
    const from = source(stats(2));
    await thread().one('stats', 'k', from.load);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(from.asked).toBe(0);
  });
});

describe('without the store of copies', () => {
  let mortal: RedisServer;
  let connection: Redis;
  beforeEach(async () => {
    mortal = await startRedis({ policy: 'allkeys-lru' });
    connection = createConnection({ url: mortal.url, kind: 'cache', timeoutMs: 1_000, log: silent });
    await connect(connection, 10_000);
  });
  afterEach(async () => {
    await close(connection);
    await mortal[Symbol.asyncDispose]();
  });

  it('[CACHE-11] every source is asked, nothing fails, and copies are used again when it is back', async () => {
    const one = thread([], connection);
    await one.one('stats', 'k', async () => kept(stats(1)));
    await mortal.kill();
    for (let i = 2; i < 30; i++) expect(await one.one('stats', 'k', async () => kept(stats(i)))).toEqual(stats(i));
    expect(await counted('stats', 'error')).toBeGreaterThanOrEqual(28);
    await mortal.restart();
    const back = async () => {
      await one.one('stats', 'k', async () => kept(stats(99)));
      return (await counted('stats', 'hit')) > 0;
    };
    await until(back, 'a copy was used again');
    expect(await one.one('stats', 'k', () => Promise.reject(new Error('asked')))).toEqual(stats(99));
  });

  it('[CACHE-12] a change is not lost: this thread goes without the copy, and it is forgotten as soon as that can be', async () => {
    const one = thread([], connection);
    await one.one('sets', 'k', async () => kept(own()));
    const refuseWrites = (refuse: boolean) => connection.config('SET', 'min-replicas-to-write', refuse ? '1' : '0');
    await refuseWrites(true);
    await one.changed('sets', ['k']);
    const id = randomUUID();
    expect(await one.one('sets', 'k', async () => kept(own(id)))).toEqual(own(id));
    // The control: another thread cannot know yet.
    expect(await thread([], connection).one('sets', 'k', async () => kept(own(id)))).toEqual([]);
    await refuseWrites(false);
    await until(async () => (await connection.exists(keys.copy('sets', 'k').copy)) === 0, 'it is forgotten');
    expect(await thread([], connection).one('sets', 'k', async () => kept(own(id)))).toEqual(own(id));
  });
});

it('[CACHE-13] CACHE_ENABLED=false turns all caches off, CACHE_OFF single ones', async () => {
  expect([...cachesOff({ CACHE_ENABLED: false, CACHE_OFF: [] })]).toEqual(CACHE_NAMES);
  const off = cachesOff({ CACHE_ENABLED: true, CACHE_OFF: ['stats'] });
  const one = new ReadThrough({ redis, keys, off, metrics });
  for (const n of [1, 2]) expect(await one.one('stats', 'k', async () => kept(stats(n)))).toEqual(stats(n));
  await one.one('sets', 'k', async () => kept(own()));
  expect(await one.one('sets', 'k', () => Promise.reject(new Error('asked')))).toEqual([]);
});
