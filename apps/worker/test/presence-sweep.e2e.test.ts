import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CacheStore, close, connect, createConnection, RedisPresences } from '@parley/cache';
import { Failure, type SeenUser } from '@parley/domain';
import { migrate, openStore, type Store } from '@parley/store';
import { type RedisServer, startRedis } from '@parley/testing';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createPresenceSweep } from '../src/jobs/presence-sweep.ts';
import { keys, silent, startWorker, until } from './rig.ts';

const TTL_MS = 300;
const never = new AbortController().signal;
let redis: RedisServer;
let database: TestDatabase;
let store: Store;
let cache: Redis;
let presences: RedisPresences;

beforeAll(async () => {
  [redis, database] = await Promise.all([
    startRedis({ policy: 'allkeys-lru', appendonly: 'no' }),
    testDatabase({ template: { name: 'store', build: migrate } }),
  ]);
  store = openStore({ DATABASE_URL: database.url }, { name: 'test', log: silent });
  cache = createConnection({ url: redis.url, kind: 'cache', timeoutMs: 5_000, log: silent });
  await connect(cache, 10_000);
  presences = new RedisPresences({ store: new CacheStore(cache), keys, ttlMs: TTL_MS, lastSeenTtlMs: 86_400_000 });
});
beforeEach(() => cache.flushall());
afterAll(async () => {
  if (cache) await close(cache);
  await store?.stop();
  await redis?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

async function users(count: number): Promise<string[]> {
  const made = Array.from({ length: count }, (_, i) =>
    store.archive.upsertUser({ id: randomUUID(), name: `u${i}`, avatarUrl: null, email: null, locale: null }),
  );
  return (await Promise.all(made)).map(({ id }) => id);
}

const held = (userIds: readonly string[], isHeld = true) =>
  presences.move(userIds.map((userId) => ({ userId, nodeId: 'n', held: isHeld })));
const lastSeen = async (userId: string | undefined) =>
  (await store.archive.users([userId ?? '']))[0]?.lastSeenAt ?? null;

describe('[PRES-24] the presence sweep', () => {
  test('brings to Postgres when users were seen, a thousand in one statement, and again when they were seen again', async () => {
    const userIds = await users(1_200);
    await held(userIds);
    const batches: number[] = [];
    const counted = {
      saw: (rows: readonly SeenUser[]) => {
        batches.push(rows.length);
        return store.seen.saw(rows);
      },
    };
    const sweep = createPresenceSweep({ times: presences, store: counted });
    await sweep(never);
    expect(batches[0]).toBe(1_000);
    expect(batches.length).toBeLessThanOrEqual(3);
    const first = await lastSeen(userIds[0]);
    expect(await Promise.all(userIds.map(lastSeen))).not.toContain(null);
    await sleep(20);
    await held(userIds.slice(0, 1), false);
    await sweep(never);
    expect(await lastSeen(userIds[0])).toBeGreaterThan(first ?? 0);
  });

  test('loses nothing when Postgres does not answer', async () => {
    const [userId = ''] = await users(1);
    await held([userId]);
    let away = true;
    const failing = {
      saw: (rows: readonly SeenUser[]) =>
        away ? Promise.reject(new Failure('UNAVAILABLE', 'away')) : store.seen.saw(rows),
    };
    const sweep = createPresenceSweep({ times: presences, store: failing });
    await expect(sweep(never)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await lastSeen(userId)).toBeNull();
    await sleep(3 * TTL_MS);
    away = false;
    await sweep(never);
    expect(await lastSeen(userId)).not.toBeNull();
  });

  test('removes what a dead node left, and nothing of those who are here', async () => {
    const [ann = '', bob = ''] = await users(2);
    await held([ann]);
    await presences.move([{ userId: ann, nodeId: 'n', held: true, choice: { status: 'busy', text: 'x' } }]);
    await sleep(3 * TTL_MS);
    await held([bob]);
    await createPresenceSweep({ times: presences, store: store.seen })(never);
    expect(await cache.hkeys(keys.presenceOf(ann))).toEqual(['l']);
    expect(await cache.zrange(keys.seen, '0', '-1')).toEqual([bob]);
    expect((await presences.of([bob]))[0]?.status).toBe('online');
  });

  test('is done by a worker, and a worker without a cache store works all the same', async () => {
    const [userId = ''] = await users(1);
    await using log = await startRedis({ appendonly: 'no' });
    await using gone = await startRedis({ policy: 'allkeys-lru', appendonly: 'no' });
    const stores = { DATABASE_URL: database.url, REDIS_LOG_URL: log.url, LOG_LEVEL: 'warn' };
    await held([userId]);
    await using worker = startWorker({ ...stores, REDIS_CACHE_URL: redis.url, PRESENCE_SWEEP_MS: '200' });
    await until('it is in Postgres', async () => (await lastSeen(userId)) !== null);
    await gone.kill();
    await using poor = startWorker({ ...stores, REDIS_CACHE_URL: gone.url, PRESENCE_SWEEP_MS: '200' });
    await Promise.all([worker.ready(), poor.ready()]);
    expect(await poor.end()).toBe(0);
  });
});
