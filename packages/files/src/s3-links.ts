import { type FileLinks, objectKeys, type Presentation, UNKNOWN_TYPE } from '@parley/domain';
import type { Bucket, OpenBucket } from './bucket.ts';
import { contentDisposition } from './content-disposition.ts';
import { at } from './s3-store.ts';

/** Links straight to a bucket, made without asking it: the bytes do not pass through us. Those to thumbnails are our own. */
export function s3Links(bucket: Bucket, own: Pick<FileLinks, 'thumbnail'>): FileLinks {
  return {
    upload: async (id, upload) => ({
      url: await signUpload(await bucket.open(), id, upload),
      headers: { 'content-type': upload.contentType },
    }),
    download: async (id, download) => signDownload(await bucket.open(), id, download),
    thumbnail: (id, expiresAt) => own.thumbnail(id, expiresAt),
  };
}

type Upload = Parameters<FileLinks['upload']>[1];

/** Length and type are signed: the server takes no other. */
async function signUpload(
  opened: OpenBucket,
  id: string,
  { byteSize, contentType, expiresAt }: Upload,
): Promise<string> {
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const object = { ...at(opened, objectKeys.upload(id)), ContentLength: byteSize, ContentType: contentType };
  return getSignedUrl(opened.client, new opened.sdk.PutObjectCommand(object), {
    expiresIn: secondsTo(expiresAt),
    signableHeaders: new Set(['content-type']),
  });
}

type Download = Presentation & { readonly expiresAt: number };

async function signDownload(
  opened: OpenBucket,
  id: string,
  { expiresAt, fileName, inlineType }: Download,
): Promise<string> {
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const command = new opened.sdk.GetObjectCommand({
    ...at(opened, objectKeys.attachment(id)),
    ResponseContentType: inlineType ?? UNKNOWN_TYPE,
    ResponseContentDisposition: contentDisposition(inlineType === null ? 'attachment' : 'inline', fileName),
    ResponseCacheControl: 'private, max-age=3600',
  });
  return getSignedUrl(opened.client, command, { expiresIn: secondsTo(expiresAt) });
}

function secondsTo(expiresAt: number): number {
  return Math.max(1, Math.round((expiresAt - Date.now()) / 1_000));
}
