import type { FileLinks, ObjectStore } from '@parley/domain';
import type { Log, Service } from '@parley/runtime';
import { bucketOf } from './bucket.ts';
import { createFolderStore, type FolderStore } from './folder-store.ts';
import { ownLinks } from './own-links.ts';
import { s3Links } from './s3-links.ts';
import { createS3Store } from './s3-store.ts';
import type { StorageSettings } from './settings.ts';
import { createSignedPaths, type SignedPaths } from './signed-paths.ts';
import { createStoreCalls } from './store-calls.ts';

/** Where attachments lie, for who only works with them. Nothing is asked before the first call. */
export interface Storage extends Service {
  readonly objects: ObjectStore;
}

/** The same for who also sends clients there. */
export interface Files extends Storage {
  readonly links: FileLinks;
  readonly signedPaths: SignedPaths;
  /** Takes uploads that come to us; null where they go to a bucket. */
  readonly receive: FolderStore['receive'] | null;
}

/** The storage that the settings name. */
export function openStorage(settings: StorageSettings, { log }: { log: Log }): Storage {
  const bucket = bucketOf(settings);
  const calls = createStoreCalls(log);
  const objects = bucket ? createS3Store(bucket, calls) : createFolderStore(settings.ATTACHMENTS_DIR, calls);
  return { ...serviceOf(bucket), objects };
}

/** The storage that the settings name, with links signed by the secret. */
export function openFiles(settings: StorageSettings, { secret, log }: { secret: string; log: Log }): Files {
  const bucket = bucketOf(settings);
  const calls = createStoreCalls(log);
  const signedPaths = createSignedPaths(secret);
  const own = ownLinks(signedPaths);
  const service = serviceOf(bucket);
  if (bucket) {
    return {
      ...service,
      objects: createS3Store(bucket, calls),
      links: s3Links(bucket, own),
      signedPaths,
      receive: null,
    };
  }
  const folder = createFolderStore(settings.ATTACHMENTS_DIR, calls);
  return { ...service, objects: folder, links: own, signedPaths, receive: folder.receive };
}

function serviceOf(bucket: ReturnType<typeof bucketOf>): Service {
  return { name: 'files', run: () => undefined, stop: async () => bucket?.close() };
}
