import { migrate } from '@parley/store';
import { freePort, type RedisServer, startRedis } from '@parley/testing';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startWorker, until } from './rig.ts';

let redis: RedisServer;
let database: TestDatabase;

vi.setConfig({ testTimeout: 90_000 });

beforeAll(async () => {
  redis = await startRedis({ appendonly: 'everysec' });
  database = await testDatabase({ template: { name: 'worker', build: (url) => migrate(url) } });
});

afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

function started(env: Record<string, string> = {}) {
  const stores = { DATABASE_URL: database.url, REDIS_LOG_URL: redis.url, REDIS_CACHE_URL: redis.url };
  return startWorker({ ...stores, LOG_LEVEL: 'warn', ...env });
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '[RUN-80] %s ends a worker with 0 after the work under way',
  async (signal) => {
    await using worker = started({ LANES: '3' });
    await worker.ready();
    expect(worker.output()).toMatch(/^working on 3 lanes$/m);
    expect(await worker.end(signal)).toBe(0);
  },
);

test('[RUN-80] a parent can ask a worker to drain, and takes it along when it dies', async () => {
  await using asked = started();
  await using orphan = started();
  await Promise.all([asked.ready(), orphan.ready()]);
  asked.child.send({ type: 'drain' });
  orphan.child.disconnect();
  expect(await asked.ended()).toBe(0);
  expect(await orphan.ended()).toBe(0);
});

test('[RUN-81] a worker that still waits for its stores can be ended', async () => {
  const nobody = await freePort();
  await using worker = started({
    REDIS_LOG_URL: `redis://127.0.0.1:${nobody}`,
    DATABASE_URL: `postgres://x:x@127.0.0.1:${nobody}/x`,
  });
  await until('it waits', () => worker.output().includes('waiting for the stores'));
  expect(await worker.end()).toBe(0);
});

test('[RUN-82] bad settings end a worker with 1, and all of them are named', async () => {
  await using worker = startWorker({ LANES: '0', WORKER_CONCURRENCY: 'x' });
  expect(await worker.ended()).toBe(1);
  for (const name of ['DATABASE_URL', 'REDIS_LOG_URL', 'LANES', 'WORKER_CONCURRENCY']) {
    expect(worker.output()).toContain(`${name}: `);
  }
});
