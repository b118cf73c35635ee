import { type Archive, type Presences, withPresence } from '@parley/domain';
import type { User } from '@parley/protocol';
import type { Cases } from '../context.ts';
import type { Caller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export interface UserCaseDeps {
  readonly archive: Pick<Archive, 'users'>;
  readonly presences: Presences;
}

/** The procedures `user.*`. */
export function userCases(deps: UserCaseDeps) {
  const live = withPresence(deps.presences);
  return {
    'user.me': async (caller) => {
      const user = (await deps.archive.users([caller.userId]))[0] ?? unwritten(caller);
      return (await live.users([user]))[0] ?? user;
    },
    'user.get': async (_, { userIds }) => live.users(await usersInOrder(deps.archive, userIds)),
    ...notThereYet('user.search', 'user.contacts', 'user.settings', 'user.update', 'user.block', 'user.unblock'),
  } satisfies Partial<Cases>;
}

/** A user who came in while Postgres was away: his row is made the next time. */
function unwritten({ userId, name }: Caller): User {
  return { id: userId, name, avatarUrl: null, status: 'offline', statusText: null, lastSeenAt: null };
}

/** Unknown ids are left out. */
async function usersInOrder(archive: Pick<Archive, 'users'>, userIds: readonly string[]): Promise<User[]> {
  const found = new Map((await archive.users(userIds)).map((user) => [user.id, user]));
  return [...new Set(userIds)].map((id) => found.get(id)).filter((user) => user !== undefined);
}
