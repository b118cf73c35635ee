import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ObjectKey, objectKeys } from '@parley/domain';
import { openStorage, type Storage, storageSettings } from '@parley/files';
import { createThumbnails, queuePrefix } from '@parley/queue';
import { readSettings } from '@parley/runtime';
import { migrate } from '@parley/store';
import { startRedis } from '@parley/testing';
import { testDatabase } from '@parley/testing/vitest';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAttachmentCleanUp } from '../src/jobs/clean-attachments.ts';
import { type Rig, silent, startRig, startWorker, until } from './rig.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const owned = new AsyncDisposableStack();
let dir: string;
let storage: Storage;
let rig: Rig;
let stores: { redisUrl: string; databaseUrl: string };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'parley-attachments-'));
  owned.defer(() => rm(dir, { recursive: true, force: true }));
  const redis = owned.use(await startRedis({ appendonly: 'everysec' }));
  const database = owned.use(await testDatabase({ template: { name: 'store', build: migrate } }));
  stores = { redisUrl: redis.url, databaseUrl: database.url };
  rig = owned.use(await startRig(stores));
  storage = openStorage(readSettings(storageSettings, { ATTACHMENTS_DIR: dir }), { log: silent });
});
afterAll(() => owned.disposeAsync());
beforeEach(() => rig.sql('delete from attachments'));

interface Given {
  readonly bytes?: Uint8Array;
  readonly ageMs?: number;
  readonly state?: 'pending' | 'ready' | 'deleted';
  readonly messageId?: string;
}

/** An attachment with its bytes, as old as it is said to be. */
async function attachment({
  bytes = new Uint8Array([1]),
  ageMs = 0,
  state = 'ready',
  messageId,
}: Given): Promise<string> {
  const id = randomUUID();
  const at = Date.now() - ageMs;
  await storage.objects.put(objectKeys.attachment(id), bytes, 'image/png');
  await storage.objects.put(objectKeys.thumbnail(id), bytes, 'image/webp');
  await rig.sql(
    `insert into attachments (id, channel_id, uploader_id, file_name, content_type, byte_size, storage_key, state,
       message_id, created_at, used_at)
     values ($1, $2, $3, 'a', 'image/png', 1, 'x', $4, $5, $6, $7)`,
    [id, randomUUID(), rig.userId, state, messageId ?? null, at, messageId ? at : null],
  );
  return id;
}

async function message({ deletedAt = null }: { deletedAt?: number | null } = {}): Promise<string> {
  const id = randomUUID();
  await rig.sql(
    `insert into messages (channel_id, epoch, n, m, id, sender_id, client_msg_id, body, sent_at, deleted_at)
     values ($1, 1, 1, 1, $2, $3, $4, 'x', 1, $5)`,
    [randomUUID(), id, rig.userId, randomUUID(), deletedAt],
  );
  return id;
}

const isThere = async (key: ObjectKey) => (await storage.objects.head(key)) !== null;
const rows = async () => (await rig.sql<{ id: string }>('select id from attachments')).map(({ id }) => id).sort();

describe('the job of a thumbnail', () => {
  it('[FILE-29] of a corrupt image fails after its attempts, and the worker goes on with the next', async () => {
    await using worker = startWorker({
      DATABASE_URL: stores.databaseUrl,
      REDIS_LOG_URL: stores.redisUrl,
      REDIS_CACHE_URL: stores.redisUrl,
      ATTACHMENTS_DIR: dir,
      LOG_LEVEL: 'error',
    });
    await worker.ready();
    const png = await sharp({ create: { width: 900, height: 900, channels: 3, background: '#246' } })
      .png()
      .toBuffer();
    const [corrupt, whole] = [await attachment({ bytes: png.subarray(0, 300) }), await attachment({ bytes: png })];
    await storage.objects.delete([corrupt, whole].map(objectKeys.thumbnail));
    const server = { url: stores.redisUrl, prefix: queuePrefix('parley') };
    const thumbnails = createThumbnails({ server, log: silent });
    for (const id of [corrupt, corrupt, whole, randomUUID()]) await thumbnails.ask(id);
    await thumbnails.stop();
    await until('the good one is made', () => isThere(objectKeys.thumbnail(whole)));
    const key = (set: string) => `${server.prefix}:make-thumbnail:${set}`;
    await until('the corrupt one is given up', async () => (await rig.redis.zcard(key('failed'))) === 1, 30_000);
    const [job = ''] = await rig.redis.zrange(key('failed'), '0', '-1');
    expect(await rig.redis.hget(key(job), 'atm')).toBe('3');
    expect(await isThere(objectKeys.thumbnail(corrupt))).toBe(false);
    await until('the worker says so', () => worker.output().includes('a job failed'));
    expect(worker.child.exitCode).toBeNull();
  }, 60_000);
});

describe('the clean-up of attachments', () => {
  const cleanUp = (retentionMs: number | null = null) =>
    createAttachmentCleanUp({
      graves: rig.store.graves,
      objects: storage.objects,
      clock: { now: () => Date.now() },
      retentionMs,
      batchSize: 2,
    });

  it('[FILE-30] removes what is in nobody’s hands, bytes and rows, and nothing else', async () => {
    const [live, gone] = [await message(), await message({ deletedAt: 5 })];
    const kept = await Promise.all([
      attachment({ state: 'pending', ageMs: 23 * HOUR_MS }),
      attachment({ ageMs: 23 * HOUR_MS }),
      attachment({ messageId: live, ageMs: 400 * DAY_MS }),
      // Sent just now: Postgres will have its message in a moment.
      attachment({ messageId: randomUUID(), ageMs: 6 * DAY_MS }),
    ]);
    const lost = await Promise.all([
      attachment({ state: 'pending', ageMs: 25 * HOUR_MS }),
      attachment({ ageMs: 25 * HOUR_MS }),
      attachment({ messageId: gone }),
      attachment({ messageId: randomUUID(), ageMs: 8 * DAY_MS }),
      // What a run left behind that ended in the middle.
      attachment({ state: 'deleted' }),
    ]);
    expect(await cleanUp()()).toBe(lost.length);
    expect(await rows()).toEqual([...kept].sort());
    for (const keyOf of [objectKeys.attachment, objectKeys.thumbnail]) {
      expect(await Promise.all(kept.map((id) => isThere(keyOf(id))))).not.toContain(false);
      expect(await Promise.all(lost.map((id) => isThere(keyOf(id))))).not.toContain(true);
    }
    expect(await cleanUp()()).toBe(0);
  });

  it('[FILE-30] removes what is past the retention, whatever carries it', async () => {
    const messageId = await message();
    const [old, young] = await Promise.all([31, 29].map((days) => attachment({ messageId, ageMs: days * DAY_MS })));
    expect(await cleanUp(30 * DAY_MS)()).toBe(1);
    expect(await rows()).toEqual([young]);
    expect(await isThere(objectKeys.attachment(old ?? ''))).toBe(false);
  });

  it('[FILE-31] may end anywhere and run twice at once: the next run finishes it', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, () => attachment({ ageMs: 2 * DAY_MS })));
    const broken = createAttachmentCleanUp({
      graves: rig.store.graves,
      objects: { ...storage.objects, delete: () => Promise.reject(new Error('the storage is away')) },
      clock: { now: () => Date.now() },
      retentionMs: null,
      batchSize: 3,
    });
    await expect(broken()).rejects.toThrow('away');
    expect(await rows()).toHaveLength(7);
    // Nobody can send any more what is on its way out.
    const use = { channelId: randomUUID(), uploaderId: rig.userId, messageId: randomUUID() };
    expect(await rig.store.attachments.use({ ids, ...use })).toBeNull();
    await Promise.all([cleanUp()(), cleanUp()()]);
    expect(await rows()).toEqual([]);
    expect(await Promise.all(ids.map((id) => isThere(objectKeys.attachment(id))))).not.toContain(true);
  });

  it('[FILE-31] removes what an upload left behind whose process died', async () => {
    const parts = join(dir, 'parts');
    const then = new Date(Date.now() - 2 * DAY_MS);
    await writeFile(join(parts, 'old'), 'half');
    await utimes(join(parts, 'old'), then, then);
    await writeFile(join(parts, 'new'), 'half');
    await cleanUp()();
    expect(await readdir(parts)).toEqual(['new']);
  });
});
