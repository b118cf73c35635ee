import type { Attachment } from '@parley/protocol';
import type { StoredAttachment } from './ports/attachments.ts';
import { INLINE_TYPES } from './sniff.ts';

/** Paths of the public port under which attachments are fetched and, where we keep the bytes ourselves, put. */
export const filePaths = {
  upload: (attachmentId: string) => `/files/upload/${attachmentId}`,
  attachment: (attachmentId: string) => `/files/${attachmentId}`,
  thumbnail: (attachmentId: string) => `/files/${attachmentId}/thumbnail`,
};

/** An attachment as a client sees it. Its thumbnail has an address before it is made, so that a message can carry it at once. */
export function attachmentOf({ id, fileName, contentType, byteSize }: StoredAttachment): Attachment {
  const thumbnailUrl = INLINE_TYPES.has(contentType) ? filePaths.thumbnail(id) : null;
  return { id, fileName, contentType, byteSize, thumbnailUrl };
}
