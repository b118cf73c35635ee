import { inputs } from '@parley/protocol';
import { procedure, router } from '../trpc.ts';

/** Never aborted: for callers that give no signal. */
const forEver = new AbortController().signal;

/** The subscriptions. Every event is tracked: one that is not would make a stock client forget where it was. */
export const feedRouter = router({
  channel: procedure.input(inputs['feed.channel']).subscription(async function* ({ ctx, input, signal }) {
    yield* ctx.feeds.channel(ctx.session, input, signal ?? forEver);
  }),
  inbox: procedure.input(inputs['feed.inbox']).subscription(async function* ({ ctx, signal }) {
    yield* ctx.feeds.inbox(ctx.session, signal ?? forEver);
  }),
});
