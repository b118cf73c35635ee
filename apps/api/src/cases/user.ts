import {
  type Archive,
  type BlockDeps,
  blockUser,
  type FindUsersDeps,
  listContacts,
  searchUsers,
  type UserSettingsDeps,
  unblockUser,
  updateUser,
  userSettings,
} from '@parley/domain';
import type { User } from '@parley/protocol';
import type { Cases } from '../context.ts';
import { type Caller, forCaller } from './for-caller.ts';

export interface UserCaseDeps extends FindUsersDeps, UserSettingsDeps, BlockDeps {
  readonly directory: FindUsersDeps['directory'] & UserSettingsDeps['directory'] & BlockDeps['directory'];
  readonly archive: Pick<Archive, 'users'>;
}

/** The procedures `user.*`. */
export function userCases(deps: UserCaseDeps) {
  return {
    'user.me': async (caller) => (await deps.archive.users([caller.userId]))[0] ?? unwritten(caller),
    'user.get': (_, { userIds }) => usersInOrder(deps.archive, userIds),
    'user.search': forCaller(searchUsers(deps)),
    'user.contacts': forCaller(listContacts(deps)),
    'user.settings': forCaller(userSettings(deps)),
    'user.update': forCaller(updateUser(deps)),
    'user.block': forCaller(blockUser(deps)),
    'user.unblock': forCaller(unblockUser(deps)),
  } satisfies Partial<Cases>;
}

/** A user who came in while Postgres was away: his row is made the next time. */
function unwritten({ userId, name }: Caller): User {
  return { id: userId, name, avatarUrl: null, status: 'online', statusText: null, lastSeenAt: null };
}

/** Unknown ids are left out. */
async function usersInOrder(archive: Pick<Archive, 'users'>, userIds: readonly string[]): Promise<User[]> {
  const found = new Map((await archive.users(userIds)).map((user) => [user.id, user]));
  return [...new Set(userIds)].map((id) => found.get(id)).filter((user) => user !== undefined);
}
