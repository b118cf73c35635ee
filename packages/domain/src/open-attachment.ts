import type { Answer, Parsed } from '@parley/protocol';
import { attachmentOf } from './attachment-of.ts';
import { Failure } from './failure.ts';
import type { Attachments, StoredAttachment } from './ports/attachments.ts';
import type { Clock } from './ports/clock.ts';
import type { FileLinks, Presentation } from './ports/object-store.ts';
import { INLINE_TYPES } from './sniff.ts';
import { type ViewDeps, viewChannel } from './view-channel.ts';

export interface OpenAttachmentDeps extends ViewDeps {
  readonly attachments: Pick<Attachments, 'find'>;
}

export interface AttachmentUrlDeps extends OpenAttachmentDeps {
  readonly links: Pick<FileLinks, 'download' | 'thumbnail'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** How long an address of `attachment.url` works, also for whoever is removed meanwhile. */
export const LINK_TTL_MS = 5 * 60_000;

/** Finds an attachment for a member of its channel. Throws `NOT_FOUND` for everybody else, in the same words as when there is none. */
export function openAttachment(deps: OpenAttachmentDeps) {
  const view = viewChannel(deps);
  return async (userId: string, attachmentId: string): Promise<StoredAttachment> => {
    const found = await deps.attachments.find(attachmentId);
    if (!found || found.state === 'deleted') throw noAttachment();
    try {
      await view(found.channelId, userId);
    } catch (error) {
      throw error instanceof Failure && error.code === 'NOT_FOUND' ? noAttachment() : error;
    }
    return found;
  };
}

/** Gives a member of its channel addresses of a ready attachment, for a few minutes. */
export function attachmentUrl(deps: AttachmentUrlDeps) {
  const open = openAttachment(deps);
  return async (userId: string, { attachmentId }: Parsed<'attachment.url'>): Promise<Answer<'attachment.url'>> => {
    const found = await open(userId, attachmentId);
    if (found.state !== 'ready') throw noAttachment();
    const expiresAt = deps.clock.now() + LINK_TTL_MS;
    const url = await deps.links.download(attachmentId, { ...presentationOf(found), expiresAt });
    const hasThumbnail = attachmentOf(found).thumbnailUrl !== null;
    return { url, thumbnailUrl: hasThumbnail ? deps.links.thumbnail(attachmentId, expiresAt) : null, expiresAt };
  };
}

/** How a browser is to take it: images by the type that their bytes have, everything else as bytes to save. */
export function presentationOf({ fileName, contentType }: StoredAttachment): Presentation {
  return { fileName, inlineType: INLINE_TYPES.has(contentType) ? contentType : null };
}

/** Also the answer to a stranger, and about somebody else's upload. */
export function noAttachment(): Failure {
  return new Failure('NOT_FOUND', 'no such attachment');
}
