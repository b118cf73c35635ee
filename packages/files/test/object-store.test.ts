import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ObjectKey, type ObjectStore, objectKeys } from '@parley/domain';
import { createLog, readSettings } from '@parley/runtime';
import { freePort } from '@parley/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Files, filesSettings, openFiles } from '../src/index.ts';
import { startS3 } from './s3-server.ts';

// One suite, held against every kind of storage.

const about = { secret: 'a secret of more than thirty-two bytes', log: createLog({ name: 'test', level: 'silent' }) };
const TYPE = 'application/octet-stream';
const MINUTE_MS = 60_000;

/** Opens a storage on which nothing lies yet. */
type Opening = (owned: AsyncDisposableStack) => Promise<Files>;

const openFolder: Opening = async (owned) => {
  const dir = await mkdtemp(join(tmpdir(), 'parley-files-'));
  owned.defer(() => rm(dir, { recursive: true, force: true }));
  return openFiles(readSettings(filesSettings, { ATTACHMENTS_DIR: dir }), about);
};

const openBucket: Opening = async (owned) => {
  const server = owned.use(await startS3());
  const files = openFiles(readSettings(filesSettings, server.settings), about);
  owned.defer(() => files.stop());
  return files;
};

const KINDS: [string, Opening][] = [
  ['a folder', openFolder],
  ['a bucket', openBucket],
];

async function all(body: AsyncIterable<Uint8Array> | null): Promise<Buffer | null> {
  if (!body) return null;
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe.each(KINDS)('%s', (_kind, opening) => {
  const owned = new AsyncDisposableStack();
  let files: Files;
  let objects: ObjectStore;
  const bytes = randomBytes(200_000);
  beforeAll(async () => {
    files = await opening(owned);
    objects = files.objects;
  });
  afterAll(() => owned.disposeAsync());

  it('[FILE-1] keeps bytes as they came, and gives them whole, their start, or a part of them', async () => {
    const key = objectKeys.attachment(randomUUID());
    await objects.put(key, bytes, TYPE);
    expect(await objects.head(key)).toEqual({ byteSize: bytes.length });
    expect(await all(await objects.read(key))).toEqual(bytes);
    expect(await all(await objects.read(key, { first: 100, last: 99_999 }))).toEqual(bytes.subarray(100, 100_000));
    expect(Buffer.from((await objects.readStart(key, 16)) ?? [])).toEqual(bytes.subarray(0, 16));
    expect(Buffer.from((await objects.readStart(key, 300_000)) ?? [])).toEqual(bytes);
    await objects.put(key, new Uint8Array([1]), TYPE);
    expect(await objects.head(key)).toEqual({ byteSize: 1 });
    await objects.put(key, new Uint8Array(), TYPE);
    expect(await objects.readStart(key, 16)).toHaveLength(0);
  });

  it('[FILE-2] says of what is not there that it is not there, and deletes it all the same', async () => {
    const key = objectKeys.thumbnail(randomUUID());
    const nothing = [objects.head(key), objects.read(key), objects.readStart(key, 10)];
    expect(await Promise.all(nothing)).toEqual([null, null, null]);
    expect(await objects.move(key, objectKeys.attachment(randomUUID()))).toBe(false);
    await objects.put(key, bytes, TYPE);
    await objects.delete([key, objectKeys.upload(randomUUID())]);
    await objects.delete([key]);
    expect(await objects.head(key)).toBeNull();
  });

  it('[FILE-3] moves an object once, and never onto another', async () => {
    const id = randomUUID();
    const [from, to] = [objectKeys.upload(id), objectKeys.attachment(id)];
    await objects.put(from, bytes, TYPE);
    expect(await objects.move(from, to)).toBe(true);
    expect(await objects.head(from)).toBeNull();
    expect(await objects.move(from, to)).toBe(false);
    await objects.put(from, new Uint8Array([1]), TYPE);
    expect(await objects.move(from, to)).toBe(false);
    expect(await all(await objects.read(to))).toEqual(bytes);
  });

  it('[FILE-4] takes nothing for a key that is none: no name leads out of the storage', async () => {
    const names = ['../secret', 'attachments/../../secret', '/etc/passwd', `attachments/${randomUUID()}/..`, 'x/1', ''];
    for (const name of names) {
      // What the type forbids is what is tried.
      const key = name as ObjectKey;
      await expect(objects.put(key, bytes, TYPE), name).rejects.toThrow();
      await expect(objects.read(key), name).rejects.toThrow();
      await expect(objects.delete([key]), name).rejects.toThrow();
      await expect(objects.move(key, objectKeys.attachment(randomUUID())), name).rejects.toThrow();
    }
  });

  it('[FILE-5] lets go of an object whose reader leaves early', async () => {
    const key = objectKeys.attachment(randomUUID());
    await objects.put(key, bytes, TYPE);
    for (let i = 0; i < 60; i++) {
      const body = await objects.read(key);
      for await (const piece of body ?? []) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
    }
    // A bucket has 50 sockets: one that was not let go of would be missing by now.
    expect(await objects.head(key)).toEqual({ byteSize: bytes.length });
  });

  it('[FILE-6] links name one attachment each, and say what a client is to send along', async () => {
    const id = randomUUID();
    const expiresAt = Date.now() + MINUTE_MS;
    const upload = await files.links.upload(id, { byteSize: 3, contentType: 'image/png', expiresAt });
    expect(upload.headers).toEqual({ 'content-type': 'image/png' });
    expect(upload.url).toContain(id);
    const shown = { fileName: 'a.png', inlineType: 'image/png', expiresAt };
    expect(await files.links.download(id, shown)).toContain(id);
    expect(files.links.thumbnail(id, expiresAt)).toMatch(new RegExp(`^/files/${id}/thumbnail\\?expires=\\d+&`));
  });
});

describe('a bucket’s own links', () => {
  const owned = new AsyncDisposableStack();
  let files: Files;
  beforeAll(async () => {
    files = await openBucket(owned);
  });
  afterAll(() => owned.disposeAsync());
  const expiresAt = () => Date.now() + MINUTE_MS;
  const png = { byteSize: 3, contentType: 'image/png' };

  it('[FILE-7] take a PUT from a client that knows nothing else, and give the bytes back as they are to be shown', async () => {
    const id = randomUUID();
    const { url, headers } = await files.links.upload(id, { ...png, expiresAt: expiresAt() });
    expect((await fetch(url, { method: 'PUT', body: 'abc', headers })).status).toBe(200);
    expect(await files.objects.move(objectKeys.upload(id), objectKeys.attachment(id))).toBe(true);
    const shown = { fileName: 'Ünï "x".png', inlineType: 'image/png', expiresAt: expiresAt() };
    const image = await fetch(await files.links.download(id, shown));
    expect(await image.text()).toBe('abc');
    expect(image.headers.get('content-type')).toBe('image/png');
    expect(image.headers.get('content-disposition')).toMatch(
      /^inline; .*filename\*=UTF-8''%C3%9Cn%C3%AF%20%22x%22\.png$/,
    );
    const saved = await fetch(await files.links.download(id, { ...shown, inlineType: null }));
    expect(saved.headers.get('content-type')).toBe('application/octet-stream');
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment; /);
  });

  it('[FILE-7] take an upload of the announced length and type only', async () => {
    const id = randomUUID();
    const { url, headers } = await files.links.upload(id, { ...png, expiresAt: expiresAt() });
    const put = (body: string, type = headers['content-type'] ?? '') =>
      fetch(url, { method: 'PUT', body, headers: { 'content-type': type } });
    for (const body of ['', 'ab', 'abcd', 'x'.repeat(100_000)]) expect((await put(body)).status, body).toBe(403);
    expect((await put('abc', 'text/html')).status).toBe(403);
    expect(await files.objects.head(objectKeys.upload(id))).toBeNull();
    expect((await put('abc')).status).toBe(200);
  });

  it('[FILE-8] work for nothing else: another object, another method, a changed link, a later time', async () => {
    const [id, other] = [randomUUID(), randomUUID()];
    const { url, headers } = await files.links.upload(id, { ...png, expiresAt: expiresAt() });
    const put = (to: string) => fetch(to, { method: 'PUT', body: 'abc', headers });
    expect((await put(url.replaceAll(id, other))).status).toBe(403);
    expect((await fetch(url)).status).toBe(403);
    expect((await put(url.replace(/Signature=../, 'Signature=00'))).status).toBe(403);
    expect((await put(`${url}&x=1`)).status).toBe(403);
    const late = await files.links.upload(id, { ...png, expiresAt: Date.now() });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await put(late.url)).status).toBe(403);
    expect(await files.objects.head(objectKeys.upload(id))).toBeNull();
    expect((await put(url)).status).toBe(200);
  });

  it('[FILE-9] a storage that is away, or has no such bucket, is UNAVAILABLE: nothing counts as missing', async () => {
    await using server = await startS3();
    const wrong = {
      bucket: { S3_BUCKET: 'elsewhere' },
      address: { S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` },
    };
    for (const [what, over] of Object.entries(wrong)) {
      const { objects, stop } = openFiles(readSettings(filesSettings, { ...server.settings, ...over }), about);
      const key = objectKeys.attachment(randomUUID());
      await expect(objects.read(key), what).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(objects.put(key, bytesOf('x'), TYPE), what).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await stop();
    }
  });
});

describe('a folder', () => {
  const owned = new AsyncDisposableStack();
  let dir: string;
  let receive: NonNullable<Files['receive']>;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'parley-files-'));
    owned.defer(() => rm(dir, { recursive: true, force: true }));
    const files = openFiles(readSettings(filesSettings, { ATTACHMENTS_DIR: dir }), about);
    if (!files.receive) throw new Error('a folder receives');
    receive = files.receive;
  });
  afterAll(() => owned.disposeAsync());

  async function* pieces(count: number, end: () => void = () => undefined) {
    for (let i = 0; i < count; i++) yield bytesOf('ten bytes!');
    end();
  }
  const left = async () =>
    (await readdir(dir, { recursive: true, withFileTypes: true })).filter((found) => found.isFile());

  it('[FILE-14] takes an upload of exactly its length, and leaves nothing of any other', async () => {
    let read = 0;
    async function* endless() {
      for (; read < 1_000; read++) yield bytesOf('ten bytes!');
    }
    const key = () => objectKeys.upload(randomUUID());
    expect(await receive(key(), endless(), 30)).toBe('too-long');
    expect(read).toBeLessThan(10);
    expect(await receive(key(), pieces(2), 30)).toBe('too-short');
    expect(await receive(key(), pieces(0), 30)).toBe('too-short');
    expect(await left()).toEqual([]);
    expect(await receive(key(), pieces(3), 30)).toBe('kept');
    expect(await left()).toHaveLength(1);
  });

  it('[FILE-15] an upload that breaks off is its sender’s fault: the storage is not taken for away', async () => {
    const before = (await left()).length;
    const fail = () => {
      throw new Error('the socket is gone');
    };
    for (let i = 0; i < 20; i++)
      expect(await receive(objectKeys.upload(randomUUID()), pieces(2, fail), 30)).toBe('broken');
    expect(await receive(objectKeys.upload(randomUUID()), pieces(3), 30)).toBe('kept');
    expect(await left()).toHaveLength(before + 1);
  });

  it('[FILE-16] of many uploads under one key one stands', async () => {
    const key = objectKeys.upload(randomUUID());
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => receive(key, pieces(3), 30)));
    expect(outcomes.filter((outcome) => outcome === 'kept')).toHaveLength(1);
    expect(await receive(key, pieces(3), 30)).toBe('taken');
  });

  it('[FILE-9] that cannot be written is UNAVAILABLE; after some failures nobody waits for it', async () => {
    const place = join(dir, 'no folder');
    await writeFile(place, '');
    const { objects } = openFiles(readSettings(filesSettings, { ATTACHMENTS_DIR: place }), about);
    const put = () => objects.put(objectKeys.attachment(randomUUID()), bytesOf('x'), TYPE);
    for (let i = 0; i < 5; i++) await expect(put()).rejects.toMatchObject({ cause: { code: 'ENOTDIR' } });
    await expect(put()).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: { name: 'BreakerOpenError' } });
    await rm(place);
    await vi.waitFor(put, 5_000);
  });
});

const bytesOf = (text: string) => new TextEncoder().encode(text);
