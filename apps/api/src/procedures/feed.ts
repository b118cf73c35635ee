import { inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** Never aborted: for callers that give no signal. */
const forEver = new AbortController().signal;

/** The subscriptions. */
export const feedRouter = router({
  channel: procedure
    .input(inputs['feed.channel'])
    .subscription(({ ctx, input, signal }) => ctx.feeds.channel(ctx.session, input, signal ?? forEver)),
  inbox: procedure
    .input(inputs['feed.inbox'])
    .subscription(({ ctx, input, signal }) => ctx.feeds.inbox(ctx.session, input, signal ?? forEver)),
});
