import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { noAttachment, type ObjectKey, type ObjectStore } from '@parley/domain';
import { parseRange } from './byte-range.ts';

/** An object as it is to be given. */
export interface GivenObject {
  readonly key: ObjectKey;
  readonly byteSize: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A reader who takes nothing for this long is given up. */
const STALL_MS = 30_000;

/** Gives an object whole or in part, at the reader's pace. What lies under a key never changes: the key is its tag. */
export async function giveObject(
  objects: Pick<ObjectStore, 'read'>,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { key, byteSize, headers }: GivenObject,
): Promise<void> {
  const etag = `"${key}"`;
  const all = { ...headers, etag, 'accept-ranges': 'bytes' };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, all).end();
    return;
  }
  const isSame = (request.headers['if-range'] ?? etag) === etag;
  const range = parseRange(isSame ? request.headers.range : undefined, byteSize);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...all, 'content-length': 0, 'content-range': `bytes */${byteSize}` }).end();
    return;
  }
  const length = range ? range.last - range.first + 1 : byteSize;
  const part = range && { 'content-range': `bytes ${range.first}-${range.last}/${byteSize}` };
  const head = { ...all, ...part, 'content-length': length };
  if (request.method === 'HEAD') {
    response.writeHead(range ? 206 : 200, head).end();
    return;
  }
  const body = await objects.read(key, range ?? undefined);
  if (!body) throw noAttachment();
  response.writeHead(range ? 206 : 200, head);
  response.setTimeout(STALL_MS, () => response.destroy());
  await pipeline(body, response);
}
