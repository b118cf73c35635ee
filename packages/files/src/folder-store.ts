import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type ByteRange, isObjectKey, type ObjectKey, type ObjectStore } from '@parley/domain';
import { orNull, type StoreCall } from './store-calls.ts';

/** What became of an upload. All but `kept` leave nothing behind; `broken`: its sender went away. */
export type Received = 'kept' | 'taken' | 'too-long' | 'too-short' | 'broken';

/** Attachments in a folder of this machine, or one that every machine has mounted. */
export interface FolderStore extends ObjectStore {
  /**
   * Takes an upload of exactly so many bytes, and reads not one piece more than it needs to see that there are too many. `taken`: there
   * is one already.
   */
  receive(upload: ObjectKey, body: AsyncIterable<Uint8Array>, byteSize: number): Promise<Received>;
}

/** What is being written; it gets its own name when it is whole. */
const PARTS = 'parts';

/** Makes a store in a folder. Nothing is touched before the first call. */
export function createFolderStore(dir: string, call: StoreCall): FolderStore {
  const root = resolve(dir);
  const pathOf = (key: ObjectKey) => {
    // Keys are ours; this is what holds if one is not.
    if (!isObjectKey(key)) throw new RangeError('not a key');
    return join(root, key);
  };
  return {
    head: (key) =>
      call(async () => {
        const found = await unlessMissing(() => stat(pathOf(key)));
        return found && { byteSize: found.size };
      }),
    readStart: (key, maxBytes) => call(() => unlessMissing(() => readStart(pathOf(key), maxBytes))),
    read: (key, range) => call(() => unlessMissing(() => openRead(pathOf(key), range))),
    put: (key, bytes) =>
      call(() =>
        asPart(root, async (part) => {
          await writePart(part, [bytes], bytes.length);
          await intoPlace(pathOf(key), (to) => rename(part, to));
        }),
      ),
    move: (from, to) => call(async () => (await linked(pathOf(from), pathOf(to))) && remove(pathOf(from))),
    delete: (keys) =>
      call(async () => {
        for (const key of keys) await remove(pathOf(key));
      }),
    removeUnfinished: (olderThanMs) => call(() => removeOld(join(root, PARTS), olderThanMs)),
    receive: (upload, body, byteSize) => call(() => receive({ root, path: pathOf(upload), body, byteSize })),
  };
}

interface Receiving {
  readonly root: string;
  readonly path: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly byteSize: number;
}

async function receive({ root, path, body, byteSize }: Receiving): Promise<Received> {
  if (await unlessMissing(() => stat(path))) return 'taken';
  try {
    return await asPart(root, async (part) => {
      const written = await writePart(part, piecesOf(body), byteSize);
      if (written > byteSize) return 'too-long';
      if (written < byteSize) return 'too-short';
      return (await linked(part, path)) ? 'kept' : 'taken';
    });
  } catch (error) {
    if (error instanceof BrokenUpload) return 'broken';
    throw error;
  }
}

/** The sender's fault, which must not pass for the storage's. */
class BrokenUpload extends Error {}

async function* piecesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new BrokenUpload('the upload broke off', { cause: error });
  }
}

/** Runs work on a new part, and removes the part whatever happens. */
async function asPart<T>(root: string, work: (part: string) => Promise<T>): Promise<T> {
  const part = join(root, PARTS, randomUUID());
  await mkdir(dirname(part), { recursive: true, mode: 0o700 });
  try {
    return await work(part);
  } finally {
    await rm(part, { force: true });
  }
}

/** Writes until there is more than there may be, and flushes. Gives the bytes seen. */
async function writePart(
  part: string,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<number> {
  await using file = await open(part, 'wx', 0o600);
  let seen = 0;
  for await (const piece of body) {
    seen += piece.length;
    if (seen > maxBytes) return seen;
    await file.appendFile(piece);
  }
  await file.sync();
  return seen;
}

/** Gives a file a second name, unless that is taken: of two who try, one succeeds. False: there is no such file, or the name is taken. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await intoPlace(to, (path) => link(from, path));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST') || hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function intoPlace(path: string, place: (path: string) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await place(path);
}

async function remove(path: string): Promise<true> {
  await rm(path, { force: true });
  return true;
}

async function readStart(path: string, maxBytes: number): Promise<Uint8Array> {
  await using file = await open(path);
  const start = new Uint8Array(maxBytes);
  const { bytesRead } = await file.read(start, 0, maxBytes, 0);
  return start.subarray(0, bytesRead);
}

async function openRead(path: string, range: ByteRange | undefined): Promise<AsyncIterable<Uint8Array>> {
  const file = await open(path);
  // The stream closes the file, also when it is left early.
  return file.createReadStream(range ? { start: range.first, end: range.last } : {});
}

async function removeOld(parts: string, olderThanMs: number): Promise<number> {
  const before = Date.now() - olderThanMs;
  let removed = 0;
  for (const name of (await unlessMissing(() => readdir(parts))) ?? []) {
    const path = join(parts, name);
    const found = await unlessMissing(() => stat(path));
    if (!found || found.mtimeMs >= before) continue;
    await remove(path);
    removed++;
  }
  return removed;
}

function unlessMissing<T>(work: () => Promise<T>): Promise<T | null> {
  return orNull((error) => hasCode(error, 'ENOENT'), work);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
