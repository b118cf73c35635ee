import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { createProducer, JOBS, queuePrefix } from '@parley/queue';
import { migrate } from '@parley/store';
import { type RedisServer, startRedis } from '@parley/testing';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Rig, silent, startRig, startWorker, until, type WorkerProcess } from '../apps/worker/test/rig.ts';

let redis: RedisServer;
let database: TestDatabase;
let rig: Rig;
let worker: WorkerProcess;
let env: Record<string, string>;

beforeAll(async () => {
  [redis, database] = await Promise.all([
    startRedis({ appendonly: 'no', policy: 'noeviction' }),
    testDatabase({ template: { name: 'worker', build: (url) => migrate(url) } }),
  ]);
  env = { DATABASE_URL: database.url, REDIS_LOG_URL: redis.url, REDIS_CACHE_URL: redis.url };
  rig = await startRig({ redisUrl: redis.url, databaseUrl: database.url });
  worker = startWorker({ ...env, LOG_LEVEL: 'silent', WEBHOOK_URLS: 'http://127.0.0.1:9/', WEBHOOK_SECRET: 's' });
  await worker.ready();
}, 60_000);
afterAll(async () => {
  for (const one of [worker, rig, redis, database]) await one?.[Symbol.asyncDispose]();
});

async function deadLetters(...args: string[]): Promise<{ code: number; out: string }> {
  const command = [process.execPath, '--conditions=@parley/source', 'tools/dead-letters.ts', ...args];
  const [file = '', ...rest] = command;
  try {
    const { stdout } = await promisify(execFile)(file, rest, { env: { PATH: process.env.PATH ?? '', ...env } });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
}

/** Postgres refuses a message with these words, for ever or until somebody mends it. */
async function refused(words: string): Promise<{ channelId: string; clientMsgId: string; id: string }> {
  const channelId = await rig.channel();
  const clientMsgId = randomUUID();
  await rig.send(channelId, { body: words, clientMsgId });
  const find = () =>
    rig.sql<{ id: string }>(
      "select 'log:' || partition || '/' || epoch || '-' || k as id from dead_letter where client_msg_id = $1",
      [clientMsgId],
    );
  await until('it is a dead letter', async () => (await find()).length === 1);
  return { channelId, clientMsgId, id: (await find())[0]?.id ?? '' };
}

it('[JOB-11] an entry that Postgres refused is listed, shown, put back under its own id, once it can be taken, and discarded', async () => {
  await rig.sql(`alter table messages add constraint no_poison check (body <> 'poison')`);
  const { channelId, clientMsgId, id } = await refused('poison');
  expect((await deadLetters()).out).toContain(id);
  const shown = await deadLetters('show', id);
  expect(shown).toMatchObject({ code: 0 });
  expect(JSON.parse(shown.out)).toMatchObject({ clientMsgId, reason: expect.stringContaining('no_poison') });
  expect((await deadLetters('redrive', id)).out).toContain('Postgres refused it again');
  await rig.sql('alter table messages drop constraint no_poison');
  expect(await deadLetters('redrive', id)).toMatchObject({ code: 0, out: expect.stringContaining('is in Postgres') });
  const kept = () => rig.sql('select body from messages where client_msg_id = $1', [clientMsgId]);
  expect(await kept()).toEqual([{ body: 'poison' }]);
  // Its other dead letter: put back again it finds that it stands, and nothing is doubled.
  await deadLetters('redrive', 'all');
  expect(await kept()).toHaveLength(1);
  expect((await rig.sql('select from messages where channel_id = $1', [channelId])).length).toBe(1);
  expect((await deadLetters('list')).out).toContain('0 dead letters');
}, 60_000);

it('[JOB-11] what cannot be put back is said, and left as it is', async () => {
  await rig.sql(`alter table messages add constraint no_venom check (body <> 'venom')`);
  const { channelId, id } = await refused('venom');
  await rig.sql('alter table messages drop constraint no_venom');
  await rig.redis.hdel((await headerKeyOf(channelId)) ?? '', rig.userId);
  const { code, out } = await deadLetters('redrive', id);
  expect([code, out]).toEqual([1, expect.stringContaining('no longer a member')]);
  expect(await deadLetters('discard', id)).toMatchObject({ code: 0 });
  expect((await deadLetters('discard', id)).code).toBe(1);
  expect((await deadLetters('nonsense')).code).toBe(2);
}, 60_000);

async function headerKeyOf(channelId: string): Promise<string | undefined> {
  return (await rig.redis.keys(`*:ch:${channelId}`))[0];
}

it('[JOB-12] a job that failed for the last time is listed, tried again and discarded', async () => {
  const producer = createProducer({
    server: { url: redis.url, prefix: queuePrefix('parley') },
    job: JOBS.webhook,
    log: silent,
  });
  try {
    const range = { userId: randomUUID(), channelId: randomUUID(), after: '0-0', upTo: '1-1' };
    await producer.add({ url: 'http://127.0.0.1:9/gone', deliveryId: 'd', ...range }, { id: 'dead-one' });
  } finally {
    await producer.close();
  }
  await until('it is listed', async () => (await deadLetters()).out.includes('webhook:dead-one'));
  expect((await deadLetters('show', 'webhook:dead-one')).out).toContain('no longer among WEBHOOK_URLS');
  expect((await deadLetters('redrive', 'webhook:dead-one')).out).toContain('is tried again');
  await until('it fails again', async () => (await deadLetters()).out.includes('webhook:dead-one'));
  expect((await deadLetters('discard', 'webhook:dead-one')).code).toBe(0);
  expect((await deadLetters()).out).toContain('0 dead letters');
}, 60_000);
