import type { InboxEvent } from '@parley/protocol';
import { orAbort } from '../hub/latch.ts';
import { InboxReader, type InboxReaderDeps } from './inbox-reader.ts';
import type { FeedSession } from './session.ts';

export interface InboxFeedDeps extends InboxReaderDeps {
  /** A fresh UUID. */
  newId(): string;
}

export interface TrackedInboxEvent {
  /** `<uuid of this subscription>-<n>`: never repeated, and worth nothing to another subscription. */
  readonly id: string;
  readonly event: InboxEvent;
}

/**
 * What concerns one user, over all his channels. Begins with `snapshot`; nothing is resumed. It listens to the channels of the
 * snapshot's page, which are the most recently active ones, and to those that are added later: a user with hundreds of channels learns
 * of the others from `channel.list`. Ends quietly when the signal is aborted.
 */
export function openInboxFeed(deps: InboxFeedDeps) {
  return async function* inboxFeed(
    session: FeedSession,
    signal: AbortSignal,
  ): AsyncGenerator<TrackedInboxEvent, void, undefined> {
    const subscription = deps.newId();
    const reader = new InboxReader(deps, session.userId);
    const wake = () => reader.wake();
    signal.addEventListener('abort', wake);
    try {
      await orAbort(reader.open(), signal);
      for (let n = 1; ; ) {
        signal.throwIfAborted();
        const event = reader.take();
        if (event) {
          await session.gate?.open(signal);
          yield { id: `${subscription}-${n++}`, event };
        } else if (reader.isEven) {
          // An abort wakes it, too.
          await reader.idle();
        } else {
          await orAbort(reader.catchUp(signal), signal);
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
