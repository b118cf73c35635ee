import type { Archive, Copies, Directory } from '@parley/domain';
import type { User } from '@parley/protocol';

interface CachedDirectoryOptions {
  readonly copies: Pick<Copies, 'one' | 'changed'>;
  /** Who they are by now. */
  readonly profiles: Pick<Archive, 'users'>;
}

/** Postgres' directory with copies of whom one knows. Their order, and whom somebody else has brought or taken away, may be as old as a copy. */
export function cachedDirectory(directory: Directory, { copies, profiles }: CachedDirectoryOptions): Directory {
  const forgetting = (work: Directory['block']): Directory['block'] => {
    return async (userId, otherId) => {
      const done = await work(userId, otherId);
      await copies.changed('contacts', [userId]);
      return done;
    };
  };
  return {
    ...directory,
    contacts: async (userId, limit) => {
      const read: { users: User[] | null } = { users: null };
      const ids = await copies.one('contacts', userId, async () => {
        read.users = await directory.contacts(userId, limit);
        return { value: read.users.map(({ id }) => id), keep: true };
      });
      if (read.users) return read.users;
      const known = new Map((await profiles.users(ids)).map((user) => [user.id, user]));
      return ids.flatMap((id) => known.get(id) ?? []);
    },
    update: async (userId, patch) => {
      const user = await directory.update(userId, patch);
      await copies.changed('users', [userId]);
      return user;
    },
    block: forgetting((userId, blockedId) => directory.block(userId, blockedId)),
    unblock: forgetting((userId, blockedId) => directory.unblock(userId, blockedId)),
  };
}
