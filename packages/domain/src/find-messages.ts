import { type Answer, type Parsed, SEARCH_MIN_CHARS } from '@parley/protocol';
import { Failure } from './failure.ts';
import type { Archive } from './ports/archive.ts';
import { snippetOf } from './snippet.ts';

export interface SearchDeps {
  readonly archive: Pick<Archive, 'search'>;
}

/** Messages of the caller's own channels that hold these words, newest first. Persisted ones only: an index finds them. */
export function searchMessages({ archive }: SearchDeps) {
  return async (userId: string, input: Parsed<'message.search'>): Promise<Answer<'message.search'>> => {
    const query = input.query.trim();
    if ([...query].length < SEARCH_MIN_CHARS) {
      throw new Failure('INVALID', `a search needs ${SEARCH_MIN_CHARS} characters or more`);
    }
    const { items, nextCursor } = await archive.search({
      userId,
      query,
      channelId: input.channelId ?? null,
      senderId: input.senderId ?? null,
      cursor: input.cursor ?? null,
      limit: input.limit,
    });
    return { items: items.map((message) => ({ ...message, snippet: snippetOf(message.body, query) })), nextCursor };
  };
}
