import { type Answer, type Parsed, SEARCH_MIN_CHARS } from '@parley/protocol';
import { Failure } from './failure.ts';
import { type StoredMessage, shownTo, withState } from './message-state.ts';
import type { Archive } from './ports/archive.ts';
import type { ChannelViews, StatesAsked } from './ports/channel-view.ts';
import { snippetOf } from './snippet.ts';
import { inOneEpoch, orWhenAway } from './view-channel.ts';

export interface SearchDeps {
  readonly archive: Pick<Archive, 'search'>;
  readonly views: Pick<ChannelViews, 'views' | 'states'>;
}

/**
 * Messages of the caller's own channels that hold these words, newest first. Persisted ones only: an index finds them. What was deleted
 * or taken away from him since is left out, what was edited is shown as it is now.
 */
export function searchMessages(deps: SearchDeps) {
  return async (userId: string, input: Parsed<'message.search'>): Promise<Answer<'message.search'>> => {
    const query = input.query.trim();
    if ([...query].length < SEARCH_MIN_CHARS) {
      throw new Failure('INVALID', `a search needs ${SEARCH_MIN_CHARS} characters or more`);
    }
    const { channelId = null, senderId = null, cursor = null, limit } = input;
    const { current, nextCursor } = await inOneEpoch(async () => {
      const found = await deps.archive.search({ userId, query, channelId, senderId, cursor, limit });
      const messages = await orWhenAway(() => asTheyAreNow(deps, userId, found.items), found.items);
      return messages && { current: messages, nextCursor: found.nextCursor };
    });
    const shown = current.map((message) => shownTo(userId, message));
    return { items: shown.map((message) => ({ ...message, snippet: snippetOf(message.body, query) })), nextCursor };
  };
}

async function asTheyAreNow(
  { views }: SearchDeps,
  userId: string,
  items: readonly StoredMessage[],
): Promise<StoredMessage[] | null> {
  const byChannel = [...Map.groupBy(items, (message) => message.channelId)];
  const channelIds = byChannel.map(([channelId]) => channelId);
  const seen = await views.views(userId, channelIds);
  const gone = new Set(channelIds.filter((_, i) => seen[i]?.rank === null));
  const amended = byChannel.flatMap(([channelId, messages], i): StatesAsked[] => {
    const view = seen[i];
    return view?.amended ? [{ channelId, since: view.head, ids: messages.map(({ id }) => id) }] : [];
  });
  const states = await views.states(amended);
  if (states.some((ofChannel) => ofChannel === null)) return null;
  const newer = new Map(amended.flatMap(({ ids }, i) => ids.map((id, k) => [id, states[i]?.[k] ?? null])));
  return items
    .filter((message) => !gone.has(message.channelId))
    .map((message) => withState(message, newer.get(message.id) ?? null))
    .filter((message) => message.deletedAt === null);
}
