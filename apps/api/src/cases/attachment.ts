import {
  type AttachmentUrlDeps,
  attachmentUrl,
  type CompleteAttachmentDeps,
  type CreateAttachmentDeps,
  completeAttachment,
  createAttachment,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

export type AttachmentCaseDeps = CreateAttachmentDeps & CompleteAttachmentDeps & AttachmentUrlDeps;

/** The procedures `attachment.*`. */
export function attachmentCases(deps: AttachmentCaseDeps) {
  return {
    'attachment.create': forCaller(createAttachment(deps)),
    'attachment.complete': forCaller(completeAttachment(deps)),
    'attachment.url': forCaller(attachmentUrl(deps)),
  } satisfies Partial<Cases>;
}
