import { type FileLinks, filePaths } from '@parley/domain';
import type { SignedPaths } from './signed-paths.ts';

/** Links to what we keep and serve ourselves. What is served, and as what, is looked up when somebody comes with one. */
export function ownLinks(paths: SignedPaths): FileLinks {
  return {
    upload: async (id, { byteSize, contentType, expiresAt }) => ({
      url: paths.sign('PUT', filePaths.upload(id), { expiresAt, numbers: { size: byteSize } }),
      headers: { 'content-type': contentType },
    }),
    download: async (id, { expiresAt }) => paths.sign('GET', filePaths.attachment(id), { expiresAt }),
    thumbnail: (id, expiresAt) => paths.sign('GET', filePaths.thumbnail(id), { expiresAt }),
  };
}
