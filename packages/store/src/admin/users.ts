import type { AdminStore } from '@parley/domain';
import { type Keyset, pageOf, readCursor } from '../archive/keyset.ts';
import { literalPattern } from '../archive/patterns.ts';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { type AdminUserColumns, adminUserOf } from './columns.ts';

const CREATE_USER = statement('admin-create-user');
const USER = statement('admin-user');
const USERS = statement('admin-users');
const DISABLE_USER = statement('disable-user');
const REVOKE_USER = statement('revoke-user');
const REVOKE_SESSION = statement('revoke-session');

/** Users, as administrators see and bar them. */
export function adminUsers(
  database: Database,
): Pick<AdminStore, 'createUser' | 'user' | 'users' | 'disable' | 'revoke'> {
  const find = async (userId: string) => {
    const [row] = await database.query<AdminUserColumns>(USER, [userId]);
    return row ? adminUserOf(row) : null;
  };
  return {
    createUser: async ({ id, name, avatarUrl, email }) => {
      const made = await database.query(CREATE_USER, [id, name, avatarUrl, email]);
      return made.length > 0 ? find(id) : null;
    },
    user: find,
    users: async ({ text, cursor, limit }) => {
      const rows = await database.query<AdminUserColumns>(USERS, [...listValues(text, cursor), limit + 1]);
      return pageOf(rows, limit, { item: adminUserOf, keyset: newestFirst });
    },
    disable: async (userId, disabled) => (await database.query(DISABLE_USER, [userId, disabled])).length > 0,
    revoke: async (userId, sid) => {
      const found = await (sid === null
        ? database.query(REVOKE_USER, [userId])
        : database.query(REVOKE_SESSION, [userId, sid]));
      return found.length > 0;
    },
  };
}

/** Where rows made at one time are told apart by their ids. */
export function newestFirst({ created_at: at, id }: { created_at: number; id: string }): Keyset {
  return { at, id };
}

/** What a list by name and keyset is asked with. */
export function listValues(text: string | null, cursor: string | null): unknown[] {
  const from = cursor === null ? null : readCursor(cursor);
  return [text === null ? null : `%${literalPattern(text)}%`, from?.at ?? null, from?.id ?? null];
}
