import type { Answer, Parsed } from '@parley/protocol';
import { Failure } from './failure.ts';
import { objectKeys } from './object-key.ts';
import type { Attachments } from './ports/attachments.ts';
import type { Clock } from './ports/clock.ts';
import type { FileLinks } from './ports/object-store.ts';
import type { OperationIds } from './ports/operation-ids.ts';
import { LEAST_RANK } from './ranks.ts';
import { type ViewDeps, viewChannel } from './view-channel.ts';

/** What may be attached. The numbers are settings. */
export interface AttachmentRules {
  readonly maxBytes: number;
  /** Content types; `image/*` stands for all images. */
  readonly types: readonly string[];
}

export interface CreateAttachmentDeps extends ViewDeps {
  readonly attachments: Pick<Attachments, 'create'>;
  readonly links: Pick<FileLinks, 'upload'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Pick<OperationIds, 'fresh'>;
  readonly attachmentRules: AttachmentRules;
}

/** How long an upload may be begun. */
export const UPLOAD_TTL_MS = 15 * 60_000;

/** Announces a file to a channel in which the caller may send, and says where its bytes go. */
export function createAttachment(deps: CreateAttachmentDeps) {
  const view = viewChannel(deps);
  return async (uploaderId: string, input: Parsed<'attachment.create'>): Promise<Answer<'attachment.create'>> => {
    const { channelId, fileName, contentType, byteSize } = input;
    const { maxBytes, types } = deps.attachmentRules;
    if (byteSize > maxBytes) throw new Failure('TOO_LARGE', `an attachment has at most ${maxBytes} bytes`);
    if (!isAllowedType(types, contentType)) throw new Failure('INVALID', 'attachments of this type are not taken');
    const seen = await view(channelId, uploaderId);
    if (seen && seen.rank < LEAST_RANK['message.send']) throw new Failure('FORBIDDEN', 'your role does not allow this');
    if (seen?.archivedAt) throw new Failure('FORBIDDEN', 'the channel is archived');
    const id = deps.ids.fresh();
    const storageKey = objectKeys.attachment(id);
    await deps.attachments.create({ id, channelId, uploaderId, fileName, contentType, byteSize, storageKey });
    const expiresAt = deps.clock.now() + UPLOAD_TTL_MS;
    const { url, headers } = await deps.links.upload(id, { byteSize, contentType, expiresAt });
    return { attachmentId: id, upload: { url, headers: { ...headers } }, expiresAt };
  };
}

/** Whether one of the types, or a whole kind of them, is this one. */
export function isAllowedType(types: readonly string[], contentType: string): boolean {
  const [kind = ''] = contentType.split('/');
  return [contentType, `${kind}/*`, '*/*'].some((type) => types.includes(type));
}
