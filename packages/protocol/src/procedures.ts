import type * as z from 'zod/mini';
import { attachmentInputs } from './procedures/attachment.ts';
import { channelInputs } from './procedures/channel.ts';
import { feedInputs } from './procedures/feed.ts';
import { memberInputs } from './procedures/member.ts';
import { messageInputs } from './procedures/message.ts';
import { presenceInputs } from './procedures/presence.ts';
import { pushInputs } from './procedures/push.ts';
import { reactionInputs } from './procedures/reaction.ts';
import { receiptInputs } from './procedures/receipt.ts';
import { sessionInputs } from './procedures/session.ts';
import { userInputs } from './procedures/user.ts';

/** Input of every procedure, by path. */
export const inputs = {
  ...userInputs,
  ...sessionInputs,
  ...channelInputs,
  ...memberInputs,
  ...messageInputs,
  ...reactionInputs,
  ...receiptInputs,
  ...presenceInputs,
  ...attachmentInputs,
  ...pushInputs,
  ...feedInputs,
};

/** What a caller gives to a procedure, defaults left out. */
export type Input<K extends keyof typeof inputs> = z.input<(typeof inputs)[K]>;
/** What a procedure works with, defaults filled in. */
export type Parsed<K extends keyof typeof inputs> = z.output<(typeof inputs)[K]>;
