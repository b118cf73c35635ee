import { attachmentRouter } from './procedures/attachment.ts';
import { channelRouter } from './procedures/channel.ts';
import { feedRouter } from './procedures/feed.ts';
import { memberRouter } from './procedures/member.ts';
import { messageRouter } from './procedures/message.ts';
import { presenceRouter } from './procedures/presence.ts';
import { pushRouter } from './procedures/push.ts';
import { reactionRouter } from './procedures/reaction.ts';
import { receiptRouter } from './procedures/receipt.ts';
import { sessionRouter } from './procedures/session.ts';
import { typingRouter } from './procedures/typing.ts';
import { userRouter } from './procedures/user.ts';
import { router } from './trpc.ts';

/** Everything a client can call. */
export const appRouter = router({
  user: userRouter,
  session: sessionRouter,
  channel: channelRouter,
  member: memberRouter,
  message: messageRouter,
  reaction: reactionRouter,
  receipt: receiptRouter,
  presence: presenceRouter,
  typing: typingRouter,
  attachment: attachmentRouter,
  push: pushRouter,
  feed: feedRouter,
});

/** What typed clients import: a type only. */
export type AppRouter = typeof appRouter;
