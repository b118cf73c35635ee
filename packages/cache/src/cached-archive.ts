import {
  type Archive,
  type ChannelView,
  type ChannelViews,
  type Copies,
  channelSets,
  headKey,
  orWhenAway,
} from '@parley/domain';
import type { User } from '@parley/protocol';
import { cachedSearch } from './cached-search.ts';

interface CachedArchiveOptions {
  readonly copies: Copies;
  readonly views: Pick<ChannelViews, 'views'>;
}

/** Asks for a channel as nobody in particular. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Postgres with copies in front of what many ask for, under keys that change with what they copy. */
export function cachedArchive(archive: Archive, { copies, views }: CachedArchiveOptions): Archive {
  const sets = channelSets(copies);
  return {
    ...archive,
    users: (userIds) => usersOf(archive, copies, userIds),
    upsertUser: async (claims) => {
      const user = await archive.upsertUser(claims);
      await copies.changed('users', [claims.id]);
      return user;
    },
    createChannel: async (channel) => {
      const made = await archive.createChannel(channel);
      if ('created' in made && made.created) await sets.changed([channel.ownerId, ...channel.memberIds]);
      return made;
    },
    mute: async (channelId, userId, until) => {
      const muted = await archive.mute(channelId, userId, until);
      await copies.changed('sets', [userId]);
      return muted;
    },
    stats: (channelId, since) =>
      copies.one('stats', channelId, async () => ({ value: await archive.stats(channelId, since), keep: true })),
    page: async (query) => {
      const read = () => archive.page(query);
      const { channelId, ...rest } = query;
      const [view = null] = await viewsOf(views, NOBODY, [channelId]);
      // Only where Postgres has everything up to the head can its page be the one that the head names.
      if (!view || view.persistedN < view.head.n) return read();
      const key = `${headKey(channelId, view)}:${JSON.stringify(rest)}`;
      const page = await copies.one('pages', key, async () => ({ value: await read(), keep: true }));
      return { ...page, items: [...page.items] };
    },
    search: cachedSearch(archive, { copies, views }),
  };
}

async function usersOf(archive: Archive, copies: Copies, userIds: readonly string[]): Promise<User[]> {
  const users = await copies.many('users', userIds, async (missing) => {
    const found = await archive.users(missing);
    return new Map(found.map((user) => [user.id, { value: user, keep: true }]));
  });
  return [...users.values()];
}

/** None while the log store is away: then nothing says whether a copy is still true. */
function viewsOf(views: Pick<ChannelViews, 'views'>, userId: string, channelIds: readonly string[]) {
  const none: (ChannelView | null)[] = [];
  return orWhenAway(() => views.views(userId, channelIds), none);
}
