import { type ByteRange, isObjectKey, type ObjectKey, type ObjectStore } from '@parley/domain';
import type { Bucket, OpenBucket } from './bucket.ts';
import { orNull, type StoreCall } from './store-calls.ts';

/**
 * Attachments in a bucket of anything that speaks S3. Moving copies: of two who move to the same place at the same moment both may
 * succeed, which harms nobody but the one uploader who does so.
 */
export function createS3Store(bucket: Bucket, call: StoreCall): ObjectStore {
  const inBucket = <T>(work: (opened: OpenBucket) => Promise<T>): Promise<T> =>
    call(async () => work(await bucket.open()));
  return {
    head: (key) => inBucket((opened) => headOf(opened, key)),
    readStart: (key, maxBytes) =>
      inBucket(async (opened) => {
        const found = await headOf(opened, key);
        if (!found) return null;
        // An empty object has no first byte to ask for.
        const last = Math.min(found.byteSize, maxBytes) - 1;
        return last < 0 ? new Uint8Array() : bytesOf(await bodyOf(opened, key, { first: 0, last }));
      }),
    read: (key, range) => inBucket((opened) => bodyOf(opened, key, range)),
    put: (key, bytes, contentType) =>
      inBucket(async (opened) => {
        const { sdk, client } = opened;
        await client.send(new sdk.PutObjectCommand({ ...at(opened, key), Body: bytes, ContentType: contentType }));
      }),
    move: (from, to) => inBucket((opened) => move(opened, from, to)),
    delete: (keys) =>
      inBucket(async (opened) => {
        for (const key of keys) await opened.client.send(new opened.sdk.DeleteObjectCommand(at(opened, key)));
      }),
    // An upload is there whole or not at all.
    removeUnfinished: async () => 0,
  };
}

/** Where an object lies. Keys are ours; this is what holds if one is not. */
export function at({ bucket }: Pick<OpenBucket, 'bucket'>, key: ObjectKey): { Bucket: string; Key: string } {
  if (!isObjectKey(key)) throw new RangeError('not a key');
  return { Bucket: bucket, Key: key };
}

async function headOf(opened: OpenBucket, key: ObjectKey): Promise<{ byteSize: number } | null> {
  const { sdk, client } = opened;
  const found = await orNull(isMissing, () => client.send(new sdk.HeadObjectCommand(at(opened, key))));
  return found && { byteSize: found.ContentLength ?? 0 };
}

async function bodyOf(
  opened: OpenBucket,
  key: ObjectKey,
  range: ByteRange | undefined,
): Promise<AsyncIterable<Uint8Array> | null> {
  const { sdk, client } = opened;
  const part = range && { Range: `bytes=${range.first}-${range.last}` };
  const found = await orNull(isMissing, () => client.send(new sdk.GetObjectCommand({ ...at(opened, key), ...part })));
  // In Node the body is a stream of Node's; the SDK's type names those of browsers beside it.
  return found && (found.Body as AsyncIterable<Uint8Array>);
}

async function move(opened: OpenBucket, from: ObjectKey, to: ObjectKey): Promise<boolean> {
  const { sdk, client, bucket } = opened;
  if (await headOf(opened, to)) return false;
  const source = at(opened, from);
  const copy = new sdk.CopyObjectCommand({ ...at(opened, to), CopySource: `${bucket}/${source.Key}` });
  const copied = await orNull(isMissing, () => client.send(copy));
  if (!copied) return false;
  await client.send(new sdk.DeleteObjectCommand(source));
  return true;
}

async function bytesOf(body: AsyncIterable<Uint8Array> | null): Promise<Uint8Array | null> {
  if (!body) return null;
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

const MISSING: readonly unknown[] = ['NoSuchKey', 'NotFound'];

/** A bucket that is not there is the operator's to mend: it is no missing object. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && MISSING.includes(error.name);
}
