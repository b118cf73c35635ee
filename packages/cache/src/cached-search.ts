import {
  type Archive,
  type ChannelView,
  type ChannelViews,
  type Copies,
  type MessageSearch,
  type MessagesFound,
  orWhenAway,
} from '@parley/domain';

interface CachedSearchOptions {
  readonly copies: Pick<Copies, 'one'>;
  readonly views: Pick<ChannelViews, 'views'>;
}

/**
 * Searches with copies in front. A copy is shown only while the log store says of each channel in it that the reader is still a member
 * and that nothing has happened since: what was deleted, edited, or taken away from him is not shown again.
 */
export function cachedSearch(
  archive: Pick<Archive, 'search'>,
  { copies, views }: CachedSearchOptions,
): Archive['search'] {
  const isTrue = async (userId: string, { heads }: MessagesFound): Promise<boolean> => {
    const none: (ChannelView | null)[] = [];
    const channelIds = heads.map(({ channelId }) => channelId);
    const seen = await orWhenAway(() => views.views(userId, channelIds), none);
    return heads.every(({ head }, i) => {
      const view = seen[i];
      return view !== null && view?.rank !== null && view?.headPosition === head;
    });
  };
  const read = async (search: MessageSearch) => {
    const value = await archive.search(search);
    // Where Postgres was not even with the log store, nobody can say what the answer is true for; of nothing, never.
    return { value, keep: value.heads.length > 0 && (await isTrue(search.userId, value)) };
  };
  return async (search) => {
    const key = JSON.stringify(search);
    const fresh: { found: MessagesFound | null } = { found: null };
    const copy = await copies.one('search', key, async () => {
      const loaded = await read(search);
      fresh.found = loaded.value;
      return loaded;
    });
    if (fresh.found) return fresh.found;
    if (copy.heads.length > 0 && (await isTrue(search.userId, copy))) return copy;
    return archive.search(search);
  };
}
