import { channelRouter } from './procedures/channel.ts';
import { feedRouter } from './procedures/feed.ts';
import { memberRouter } from './procedures/member.ts';
import { messageRouter } from './procedures/message.ts';
import { receiptRouter } from './procedures/receipt.ts';
import { sessionRouter } from './procedures/session.ts';
import { userRouter } from './procedures/user.ts';
import { router } from './trpc.ts';

/** Everything a client can call. */
export const appRouter = router({
  user: userRouter,
  session: sessionRouter,
  channel: channelRouter,
  member: memberRouter,
  message: messageRouter,
  receipt: receiptRouter,
  feed: feedRouter,
});

/** What typed clients import: a type only. */
export type AppRouter = typeof appRouter;
