import { createHash } from 'node:crypto';
import type { Archive, Claims } from '@parley/domain';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { type UserColumns, userOf } from './rows.ts';

const UPSERT_USER = statement('upsert-user');
const USERS = statement('users');
const JOINABLE_USERS = statement('joinable-users');

/** Who has been seen. */
export function users(database: Database): Pick<Archive, 'upsertUser' | 'users' | 'joinable'> {
  return {
    upsertUser: async (claims) => {
      const { id, name, avatarUrl, email, locale } = claims;
      const values = [id, name, avatarUrl, email, locale, hashOf(claims)];
      const [row] = await database.query<UserColumns>(UPSERT_USER, values);
      if (!row) throw new Error('upsert-user gave no row');
      return userOf(row);
    },
    users: async (userIds) => (await database.query<UserColumns>(USERS, [userIds])).map(userOf),
    joinable: async (userIds) => (await database.query<UserColumns>(JOINABLE_USERS, [userIds])).map(userOf),
  };
}

function hashOf({ name, avatarUrl, email, locale }: Claims): string {
  return createHash('sha256')
    .update(JSON.stringify([name, avatarUrl, email, locale]))
    .digest('base64url');
}
