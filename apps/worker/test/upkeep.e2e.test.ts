import { randomUUID } from 'node:crypto';
import { close, connect, createConnection, LogStore, ReadThrough, RedisHeaderRegister } from '@parley/cache';
import { type Amendment, partitionOf } from '@parley/domain';
import type { Position } from '@parley/protocol';
import { createMetrics, systemClock } from '@parley/runtime';
import { migrate } from '@parley/store';
import { type RedisServer, startRedis } from '@parley/testing';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createCheckUnread } from '../src/jobs/check-unread.ts';
import { createForgetIdle } from '../src/jobs/forget-idle.ts';
import { createRemoveExpired } from '../src/jobs/remove-expired.ts';
import { keys, losses, type Rig, sendMany, silent, startRig, startWorker, until, type WorkerProcess } from './rig.ts';

vi.setConfig({ testTimeout: 60_000 });

let redis: RedisServer;
let database: TestDatabase;
let rig: Rig;
let worker: WorkerProcess;
let register: RedisHeaderRegister;
let copies: ReadThrough;
const open: (() => Promise<void>)[] = [];
const never = new AbortController().signal;
const stores = () => ({ DATABASE_URL: database.url, REDIS_LOG_URL: redis.url, REDIS_CACHE_URL: redis.url });

beforeAll(async () => {
  [redis, database] = await Promise.all([
    startRedis({ appendonly: 'no', policy: 'noeviction' }),
    testDatabase({ template: { name: 'worker', build: (url) => migrate(url) } }),
  ]);
  rig = await startRig({ redisUrl: redis.url, databaseUrl: database.url });
  worker = startWorker({ ...stores(), LOG_LEVEL: 'warn' });
  await worker.ready();
  const connection = createConnection({ url: redis.url, kind: 'log', timeoutMs: 10_000, log: silent });
  await connect(connection);
  open.push(() => close(connection));
  register = new RedisHeaderRegister({ store: new LogStore({ redis: connection }), keys });
  copies = new ReadThrough({ redis: connection, keys });
}, 60_000);
afterAll(async () => {
  for (const one of open) await one();
  for (const one of [worker, rig, redis, database]) await one?.[Symbol.asyncDispose]();
});

/** The value of a counter, over all its labels. */
async function counted(metrics: ReturnType<typeof createMetrics>, name: string): Promise<number> {
  const found = (await metrics.snapshot()).find((metric) => metric.name === name);
  return found?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
}

test('[JOB-8] idle channels leave the log store, busy ones stay, and nothing that was said is lost', async () => {
  const channels = await Promise.all(Array.from({ length: 10 }, () => rig.channel()));
  const ids = await sendMany(rig, channels, { count: 100, inFlight: 4 });
  await rig.drained();
  const headers = async () => (await Promise.all(channels.map((id) => rig.header(id)))).filter(({ s }) => s).length;
  const job = (idleMs: number) =>
    createForgetIdle({ register, store: rig.store.housekeeping, clock: systemClock, metrics: createMetrics(), idleMs });
  await job(3_600_000)({}, never);
  expect(await headers()).toBe(10);
  // As if an hour had passed for all but one.
  const [busy = ''] = channels;
  await until('they are idle', async () => {
    await rig.send(busy).then(({ n }) => n);
    await job(500)({}, never);
    return (await headers()) <= 1;
  });
  const more = await sendMany(rig, channels, { count: 100, inFlight: 4 });
  await rig.drained();
  const { lost, doubled, gaps } = await losses(rig, [...ids, ...more]);
  expect({ lost, doubled, gaps }).toEqual({ lost: 0, doubled: 0, gaps: 0 });
});

test('[JOB-10] an unread count that is not what a recount gives is counted, and repaired', async () => {
  const reader = await rig.user();
  const channelId = await rig.channel([reader]);
  for (let i = 0; i < 3; i++) await rig.send(channelId);
  await rig.drained();
  const metrics = createMetrics();
  const looked = {
    sample: async (partition: number) => (partition === partitionOf(channelId) ? [channelId] : []),
    header: (id: string) => register.header(id),
    forget: (id: string, query: Parameters<RedisHeaderRegister['forget']>[1]) => register.forget(id, query),
  };
  const job = createCheckUnread({
    register: looked,
    headers: rig.store.headers,
    clock: systemClock,
    metrics,
    logger: silent,
  });
  await job({}, never);
  expect([await counted(metrics, 'unread_checked_total'), await counted(metrics, 'unread_differences_total')]).toEqual([
    1, 0,
  ]);
  // Somebody has spoilt it.
  const header = `${keys.stemOf(channelId)}ch:${channelId}`;
  const read = (await rig.header(channelId))[`r:${reader}`] ?? '';
  const [position = '', m = '', at = ''] = read.split(' ');
  await rig.redis.hset(header, `r:${reader}`, `${position} ${Number(m) + 2} ${at}`);
  expect((await register.header(channelId))?.members.get(reader)?.unread).toBe(1);
  await job({}, never);
  expect([await counted(metrics, 'unread_checked_total'), await counted(metrics, 'unread_differences_total')]).toEqual([
    2, 1,
  ]);
  await rig.log.load(channelId);
  expect((await register.header(channelId))?.members.get(reader)?.unread).toBe(3);
});

test('[JOB-4] the job removes what is too old from Postgres and from the window, and leaves the rest', async () => {
  const [old, fresh] = [await rig.channel(), await rig.channel()];
  await sendMany(rig, [old, fresh], { count: 20, inFlight: 2 });
  await rig.drained();
  const dayMs = 86_400_000;
  await rig.sql('update messages set sent_at = sent_at - $2 where channel_id = $1 and n <= 7', [old, 3 * dayMs]);
  await rig.sql('update log_change set at = at - $2 where channel_id = $1 and n <= 7', [old, 3 * dayMs]);
  const parts = { store: rig.store.housekeeping, register, copies, clock: systemClock, logger: silent };
  const days = { deletedDays: 30, analyticsDays: 400 };
  await createRemoveExpired({ ...parts, ...days, messageDays: null })({}, never);
  const kept = async (channelId: string) =>
    (await rig.sql<{ n: string }>('select n from messages where channel_id = $1 order by n', [channelId])).map(
      ({ n }) => Number(n),
    );
  expect(await kept(old)).toHaveLength(10);
  await createRemoveExpired({ ...parts, ...days, messageDays: 2 })({}, never);
  expect(await kept(old)).toEqual([8, 9, 10]);
  expect(await kept(fresh)).toHaveLength(10);
  const window = await rig.redis.xrange(`${keys.stemOf(old)}win:${old}`, '-', '+');
  expect(window.map(([id]) => Number(id.split('-')[1]))).toEqual([8, 9, 10]);
});

/** Every key of the log store that has the text in its value. */
async function keysWith(words: string): Promise<string[]> {
  const found: string[] = [];
  for (const key of await rig.redis.keys('*')) {
    const type = await rig.redis.type(key);
    const stream = () => rig.redis.xrange(key, '-', '+');
    const hash = () => rig.redis.hgetall(key);
    const value = type === 'stream' ? await stream() : type === 'hash' ? await hash() : await rig.redis.dump(key);
    if (JSON.stringify(value).includes(words)) found.push(key);
  }
  return found;
}

test('[JOB-4] no key of the log store keeps the words of a message that was removed, edited and reacted to though it was', async () => {
  const channelId = await rig.channel();
  const actorId = rig.userId;
  const amend = async (change: Amendment['change']) => {
    const operationId = randomUUID();
    const rows = await rig.sql<{ id: string; epoch: string; n: string; body: string }>(
      'select id, epoch, n, body from messages where channel_id = $1',
      [channelId],
    );
    const none = { threadOf: null, editedAt: null, deletedAt: null, reactors: {}, replyCount: 0 };
    const states = rows.map(({ id, epoch, n, body }) => {
      const position: Position = `${Number(epoch)}-${Number(n)}`;
      return [id, { senderId: actorId, position, body, ...none }] as const;
    });
    const channel = { name: 'a group', topic: null, avatarUrl: null, archivedAt: null };
    const known = {
      epoch: rig.log.epochOf(channelId),
      states: { ...Object.fromEntries(states), [channelId]: channel },
    };
    const json = JSON.stringify({ id: operationId, channelId, actorId });
    const leastRank = 3;
    expect(await rig.log.amend({ channelId, actorId, operationId, leastRank, change, json, known })).toMatchObject({
      type: 'accepted',
    });
  };
  for (let i = 1; i <= 11; i++) await rig.send(channelId, { body: i <= 9 ? 'oldwords' : 'newwords' });
  await rig.drained();
  const ids = (
    await rig.sql<{ id: string }>('select id from messages where channel_id = $1 order by n', [channelId])
  ).map(({ id }) => id);
  const [first = '', second = ''] = ids;
  const [tenth = ''] = ids.slice(9);
  await amend({ kind: 'e', messageId: first, body: 'oldwords, edited' });
  await amend({ kind: 'r', messageId: second, emoji: '👍', added: true });
  await amend({ kind: 'e', messageId: tenth, body: 'newwords, edited' });
  await amend({ kind: 'h', fields: { topic: 'a topic' }, archived: null });
  await rig.drained();
  const stem = keys.stemOf(channelId);
  const states = async () => Object.keys(await rig.redis.hgetall(`${stem}st:${channelId}`)).sort();
  // Control: they are there to be found.
  expect(await keysWith('oldwords')).toHaveLength(2);
  expect(await states()).toEqual([first, second, tenth, channelId].sort());

  await rig.sql('update messages set sent_at = sent_at - $2 where channel_id = $1 and n <= 9', [
    channelId,
    3 * 86_400_000,
  ]);
  const parts = { store: rig.store.housekeeping, register, copies, clock: systemClock, logger: silent };
  await createRemoveExpired({ ...parts, messageDays: 2, deletedDays: 30, analyticsDays: 400 })({}, never);
  expect(await keysWith('oldwords')).toEqual([]);
  expect(await states()).toEqual([tenth, channelId].sort());
  expect(await keysWith('newwords')).toHaveLength(2);
});

test('[JOB-4] pages and tips that show what was removed are forgotten, and dead letters go with it', async () => {
  const channelId = await rig.channel();
  let reads = 0;
  const read = async () => {
    const load = async () => {
      reads++;
      return { value: { items: [], hasBefore: false, hasAfter: false }, keep: true };
    };
    await copies.one('pages', channelId, load);
    await copies.one('tips', channelId, async () => {
      reads++;
      return { value: null, keep: true };
    });
    return reads;
  };
  const parts = { store: rig.store.housekeeping, register, copies, clock: systemClock, logger: silent };
  const days = { messageDays: 2, deletedDays: 30, analyticsDays: 400 };
  const job = (other: Partial<Parameters<typeof createRemoveExpired>[0]> = {}) =>
    createRemoveExpired({ ...parts, ...days, ...other })({}, never);
  const sendOld = async () => {
    await rig.send(channelId);
    await rig.drained();
    await rig.sql('update messages set sent_at = sent_at - $2 where channel_id = $1', [channelId, 3 * 86_400_000]);
  };
  const letters = () => rig.sql<{ k: string }>("select k from dead_letter where reason = 'odd' order by k");
  await rig.sql(
    "insert into dead_letter (partition, epoch, k, line, reason, at) values (0, 1, 1, 'words', 'odd', 1), (0, 1, 2, 'words', 'odd', $1)",
    [Date.now()],
  );
  expect([await read(), await read()]).toEqual([2, 2]);
  await job({ messageDays: null });
  expect(await letters()).toHaveLength(2);
  // Control: where nothing was removed the copies stay.
  await job();
  expect(await read()).toBe(2);
  expect(await letters()).toEqual([{ k: '2' }]);
  await sendOld();
  await job();
  expect(await read()).toBe(4);
  await sendOld();
  await job({ copies: { clear: () => Promise.reject(new Error('away')) } });
  expect(await rig.sql('select 1 from messages where channel_id = $1', [channelId])).toEqual([]);
});

test('[JOB-3] a worker tells operators of its jobs', async () => {
  const opsPort = 20_000 + Math.floor(Math.random() * 20_000);
  const env = { ...stores(), KEY_PREFIX: randomUUID().slice(0, 8) };
  await using other = startWorker({ ...env, OPS_PORT: String(opsPort), LOG_LEVEL: 'warn' });
  await other.ready();
  const text = async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  await until('its schedule has run', async () => /job_seconds_count\{.*count-days.*done.*\} [1-9]/.test(await text()));
  expect(await text()).toMatch(/job_oldest_waiting_seconds\{kind="check-unread"\}/);
});
