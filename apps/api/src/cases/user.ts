import {
  type Archive,
  type BlockDeps,
  blockUser,
  type FindUsersDeps,
  listContacts,
  type Presences,
  searchUsers,
  type UserSettingsDeps,
  unblockUser,
  updateUser,
  userSettings,
  withPresence,
} from '@parley/domain';
import type { User } from '@parley/protocol';
import type { Cases } from '../context.ts';
import { type Caller, forCaller } from './for-caller.ts';

export interface UserCaseDeps extends FindUsersDeps, UserSettingsDeps, BlockDeps {
  readonly directory: FindUsersDeps['directory'] & UserSettingsDeps['directory'] & BlockDeps['directory'];
  readonly archive: Pick<Archive, 'users'>;
  readonly presences: Presences;
}

/** The procedures `user.*`. */
export function userCases(deps: UserCaseDeps) {
  const live = withPresence(deps.presences);
  const [search, contacts, update] = [searchUsers(deps), listContacts(deps), updateUser(deps)];
  return {
    'user.me': async (caller) => {
      const user = (await deps.archive.users([caller.userId]))[0] ?? unwritten(caller);
      return (await live.users([user]))[0] ?? user;
    },
    'user.get': async (_, { userIds }) => live.users(await usersInOrder(deps.archive, userIds)),
    'user.search': async ({ userId }, input) => live.users(await search(userId, input)),
    'user.contacts': async ({ userId }) => live.users(await contacts(userId)),
    'user.settings': forCaller(userSettings(deps)),
    'user.update': async ({ userId }, input) => {
      const user = await update(userId, input);
      return (await live.users([user]))[0] ?? user;
    },
    'user.block': forCaller(blockUser(deps)),
    'user.unblock': forCaller(unblockUser(deps)),
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
