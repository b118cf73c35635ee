import type { InboxEvent } from '@parley/protocol';
import { Publication } from '@parley/transport';
import { Feed } from './feed.ts';
import type { Item } from './feed-reader.ts';
import { InboxReader } from './inbox-reader.ts';
import type { InboxReaderDeps } from './inbox-reader-deps.ts';
import type { FeedSession } from './session.ts';

/** The id says nothing but that there was a feed before. */
type InboxFeedInput = { readonly lastEventId?: string | null | undefined } | undefined;

/**
 * What concerns one user, over all his channels. Begins with `snapshot`; nothing is resumed. It listens to the channels of the
 * snapshot's page, which are the most recently active ones, and to those that are added later: a user with hundreds of channels learns
 * of the others from `channel.list`. Ends quietly when the signal is aborted.
 */
export function openInboxFeed(deps: InboxReaderDeps) {
  return (session: FeedSession, input: InboxFeedInput, signal: AbortSignal): Feed<InboxEvent> => {
    return new Feed({
      read: (reading) => new InboxReader(deps, session.userId, reading),
      publicationOf,
      isResumed: (input?.lastEventId ?? null) !== null,
      clock: deps.clock,
      signal,
      session,
    });
  };
}

/** Nobody else is told the same. */
function publicationOf({ id, event }: Item<InboxEvent>): Publication {
  return new Publication(id, event);
}
