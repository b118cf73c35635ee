import type { Attachment, Parsed } from '@parley/protocol';
import { attachmentOf } from './attachment-of.ts';
import type { Attachments } from './ports/attachments.ts';

interface Use {
  readonly senderId: string;
  readonly messageId: string;
  readonly input: Pick<Parsed<'message.send'>, 'channelId' | 'attachmentIds'>;
}

/**
 * Gives attachments to the message that is about to carry them; without any nothing is asked. They stay given when the message is
 * refused afterwards: its id is a function of the send, so that the same send may ask for them again. Null: one of them is not ready,
 * not the sender's, of another channel or message, or was removed.
 */
export async function useAttachments(
  attachments: Pick<Attachments, 'use'>,
  { senderId, messageId, input }: Use,
): Promise<readonly Attachment[] | null> {
  const { channelId, attachmentIds = [] } = input;
  if (attachmentIds.length === 0) return [];
  const ids = [...new Set(attachmentIds)];
  const used = await attachments.use({ ids, channelId, uploaderId: senderId, messageId });
  return used?.map(attachmentOf) ?? null;
}
