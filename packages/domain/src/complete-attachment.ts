import type { Answer, Attachment, Parsed } from '@parley/protocol';
import { attachmentOf } from './attachment-of.ts';
import { type AttachmentRules, isAllowedType } from './create-attachment.ts';
import { Failure } from './failure.ts';
import { type ObjectKey, objectKeys } from './object-key.ts';
import { noAttachment, type OpenAttachmentDeps, openAttachment } from './open-attachment.ts';
import type { Attachments, StoredAttachment } from './ports/attachments.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { Thumbnails } from './ports/thumbnails.ts';
import { SNIFF_BYTES, sniff, UNKNOWN_TYPE } from './sniff.ts';

export interface CompleteAttachmentDeps extends OpenAttachmentDeps {
  readonly attachments: Pick<Attachments, 'find' | 'markReady'>;
  readonly objects: Pick<ObjectStore, 'head' | 'readStart' | 'move' | 'delete'>;
  readonly thumbnails: Thumbnails;
  readonly attachmentRules: AttachmentRules;
}

/**
 * Looks at what its uploader has put there, and makes it ready or throws it away; then it may be uploaded anew, as long as the link
 * holds. The same call again gives the same answer.
 */
export function completeAttachment(deps: CompleteAttachmentDeps) {
  const open = openAttachment(deps);
  return async (userId: string, input: Parsed<'attachment.complete'>): Promise<Answer<'attachment.complete'>> => {
    const found = await open(userId, input.attachmentId);
    if (found.uploaderId !== userId) throw noAttachment();
    return found.state === 'ready' ? attachmentOf(found) : makeReady(deps, found);
  };
}

async function makeReady(deps: CompleteAttachmentDeps, pending: StoredAttachment): Promise<Attachment> {
  const { id } = pending;
  const byteSize = await takeOver(deps, pending);
  const contentType = await inspect(deps, pending);
  const attachment = attachmentOf({ ...pending, contentType, byteSize });
  // Before it is ready: whoever fails here completes again, and no image that is ready stays without.
  if (attachment.thumbnailUrl !== null) await deps.thumbnails.ask(id);
  if (await deps.attachments.markReady(id, { contentType, byteSize })) return attachment;
  const meanwhile = await deps.attachments.find(id);
  if (meanwhile?.state !== 'ready') throw noAttachment();
  return attachmentOf(meanwhile);
}

/** Takes the bytes out of the uploader's reach, so that they stay what is looked at, and says how many they are. */
async function takeOver(deps: CompleteAttachmentDeps, { id, byteSize }: StoredAttachment): Promise<number> {
  const { objects, attachmentRules } = deps;
  const maxBytes = Math.min(byteSize, attachmentRules.maxBytes);
  const [upload, key] = [objectKeys.upload(id), objectKeys.attachment(id)];
  const uploaded = await objects.head(upload);
  // What is too large is not even moved.
  if (uploaded && uploaded.byteSize > maxBytes) return refuseLarge(deps, upload);
  if (uploaded) await objects.move(upload, key);
  const kept = await objects.head(key);
  if (!kept) throw new Failure('INVALID', 'nothing was uploaded');
  return kept.byteSize > maxBytes ? refuseLarge(deps, key) : kept.byteSize;
}

async function refuseLarge({ objects }: CompleteAttachmentDeps, key: ObjectKey): Promise<never> {
  await objects.delete([key]);
  throw new Failure('TOO_LARGE', 'more was uploaded than was announced');
}

/** What the bytes are. An image must be the one that was announced; everything else is taken for what it is. */
async function inspect(deps: CompleteAttachmentDeps, { id, contentType }: StoredAttachment): Promise<string> {
  const key = objectKeys.attachment(id);
  const start = await deps.objects.readStart(key, SNIFF_BYTES);
  const type = start && sniff(start);
  const isAsAnnounced = type === contentType || !contentType.startsWith('image/');
  const isTaken = type === null || isAllowedType(deps.attachmentRules.types, type);
  if (isAsAnnounced && isTaken) return type ?? UNKNOWN_TYPE;
  await deps.objects.delete([key]);
  throw new Failure('INVALID', isAsAnnounced ? 'files of this kind are not taken' : `this is no ${contentType}`);
}
