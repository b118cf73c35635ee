import type { Archive, ChannelIds, OperationIds } from '@parley/domain';
import type { Cases } from '../context.ts';
import { type AttachmentCaseDeps, attachmentCases } from './attachment.ts';
import { type ChannelCaseDeps, channelCases } from './channel.ts';
import { type MemberCaseDeps, memberCases } from './member.ts';
import { type MessageCaseDeps, messageCases } from './message.ts';
import { type PresenceCaseDeps, presenceCases } from './presence.ts';
import { type PushCaseDeps, pushCases } from './push.ts';
import { reactionCases } from './reaction.ts';
import { type ReceiptCaseDeps, receiptCases } from './receipt.ts';
import { type UserCaseDeps, userCases } from './user.ts';

/** Everything that the use cases stand on. */
export interface CaseDeps
  extends Omit<
    UserCaseDeps &
      ChannelCaseDeps &
      MemberCaseDeps &
      MessageCaseDeps &
      ReceiptCaseDeps &
      PresenceCaseDeps &
      AttachmentCaseDeps &
      PushCaseDeps,
    'ids'
  > {
  readonly archive: Archive;
  readonly ids: OperationIds & ChannelIds;
}

/** What procedures of this api do, by path. */
export function createCases(deps: CaseDeps): Cases {
  return {
    ...userCases(deps),
    ...channelCases(deps),
    ...memberCases(deps),
    ...messageCases(deps),
    ...reactionCases(deps),
    ...receiptCases(deps),
    ...presenceCases(deps),
    ...attachmentCases(deps),
    ...pushCases(deps),
  };
}
