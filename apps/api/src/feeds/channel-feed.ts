import type { ChannelEvent, Position } from '@parley/protocol';
import { orAbort } from '../hub/latch.ts';
import { ChannelReader, type ChannelReaderDeps } from './channel-reader.ts';
import type { FeedSession } from './session.ts';
import { whileAway } from './while-away.ts';

export interface ChannelFeedInput {
  readonly channelId: string;
  /** What the client saw last; a wish, never a right. */
  readonly lastEventId?: Position | null | undefined;
}

export interface TrackedChannelEvent {
  readonly id: Position;
  readonly event: ChannelEvent;
}

/**
 * A channel's events for one member, from a position on: no gap, no repeat, in order. Begins with `opened`. Ends quietly when the
 * signal is aborted, with `NOT_FOUND` when the user is no member (any more), and with another `Failure` when it cannot be opened: the
 * client comes back with the last id that it saw. Once open it waits while a store is away. A slow consumer costs a place, not a queue.
 */
export function openChannelFeed(deps: ChannelReaderDeps) {
  return async function* channelFeed(
    session: FeedSession,
    input: ChannelFeedInput,
    signal: AbortSignal,
  ): AsyncGenerator<TrackedChannelEvent, void, undefined> {
    const reader = new ChannelReader(deps, { userId: session.userId, channelId: input.channelId });
    const wake = () => reader.wake();
    signal.addEventListener('abort', wake);
    try {
      await orAbort(reader.open(input.lastEventId ?? null), signal);
      for (;;) {
        signal.throwIfAborted();
        const item = reader.take();
        if (item) {
          await session.gate?.open(signal);
          yield item;
        } else if (reader.isEven) {
          // An abort wakes it, too.
          await reader.idle();
        } else {
          await whileAway({ clock: deps.clock, signal }, () => reader.catchUp());
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', wake);
      reader.close();
    }
  };
}
