import type * as z from 'zod/mini';
import { attachmentAnswers } from './procedures/attachment.ts';
import { channelAnswers } from './procedures/channel.ts';
import { memberAnswers } from './procedures/member.ts';
import { messageAnswers } from './procedures/message.ts';
import { presenceAnswers } from './procedures/presence.ts';
import { pushAnswers } from './procedures/push.ts';
import { reactionAnswers } from './procedures/reaction.ts';
import { receiptAnswers } from './procedures/receipt.ts';
import { sessionAnswers } from './procedures/session.ts';
import { userAnswers } from './procedures/user.ts';

/** Output of every procedure that is not a feed, by path. */
export const answers = {
  ...userAnswers,
  ...sessionAnswers,
  ...channelAnswers,
  ...memberAnswers,
  ...messageAnswers,
  ...reactionAnswers,
  ...receiptAnswers,
  ...presenceAnswers,
  ...attachmentAnswers,
  ...pushAnswers,
};

export type Answer<K extends keyof typeof answers> = z.infer<(typeof answers)[K]>;
