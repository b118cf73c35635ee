import { inputs } from '@parley/protocol';
import { TRPCError, tracked } from '@trpc/server';
import type { Happening, Session } from '../context.ts';
import { procedure, router } from '../trpc.ts';

/** Never aborted: for callers that give no signal. */
const forEver = new AbortController().signal;

/** The subscriptions. */
export const feedRouter = router({
  channel: procedure.input(inputs['feed.channel']).subscription(async function* ({ ctx, input, signal }) {
    yield* trackedFeed(ctx.session, ctx.feeds.channel(ctx.session, input, signal ?? forEver));
  }),
  inbox: procedure.input(inputs['feed.inbox']).subscription(async function* ({ ctx, signal }) {
    yield* trackedFeed(ctx.session, ctx.feeds.inbox(ctx.session, signal ?? forEver));
  }),
});

/**
 * The feed, while it counts as one of those that its connection may hold. Every event is tracked: one that is not would make a stock
 * client forget where it was.
 */
async function* trackedFeed<E>(session: Session, feed: AsyncIterable<Happening<E>>) {
  const release = session.holdFeed?.();
  if (session.holdFeed && !release) throw new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'too many feeds' });
  try {
    for await (const { id, event } of feed) yield tracked(id, event);
  } finally {
    release?.();
  }
}
