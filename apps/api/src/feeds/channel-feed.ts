import type { ChannelEvent, Position } from '@parley/protocol';
import { ChannelReader, type ChannelReaderDeps } from './channel-reader.ts';
import { Feed } from './feed.ts';
import type { Item } from './feed-reader.ts';
import type { Press } from './press.ts';
import type { FeedSession } from './session.ts';

export interface ChannelFeedDeps extends ChannelReaderDeps {
  readonly press: Press;
}

export interface ChannelFeedInput {
  readonly channelId: string;
  /** What the client saw last; a wish, never a right. */
  readonly lastEventId?: Position | null | undefined;
}

/**
 * A channel's events for one member, from a position on: no gap, no repeat, in order. Begins with `opened`. Ends quietly when the
 * signal is aborted, with `NOT_FOUND` when the user is no member (any more), and with another `Failure` when it cannot be opened for
 * the first time. One that is resumed waits while a store is away, as one that is open does. A slow consumer costs a place, not a queue.
 */
export function openChannelFeed(deps: ChannelFeedDeps) {
  const publicationOf = (item: Item<ChannelEvent>) => deps.press.publicationOf(item);
  return (session: FeedSession, input: ChannelFeedInput, signal: AbortSignal): Feed<ChannelEvent> => {
    const member = { userId: session.userId, channelId: input.channelId, lastEventId: input.lastEventId ?? null };
    return new Feed({
      read: (reading) => new ChannelReader(deps, member, reading),
      publicationOf,
      isResumed: member.lastEventId !== null,
      clock: deps.clock,
      signal,
      session,
    });
  };
}
