import type { Directory, Standing } from '@parley/domain';
import type { Notify } from '@parley/protocol';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { literalPattern } from './patterns.ts';
import { type UserColumns, userOf } from './rows.ts';

const SEARCH_PEERS = statement('search-peers');
const SEARCH_USERS = statement('search-users');
const CONTACTS = statement('contacts');
const USER_SETTINGS = statement('user-settings');
const UPDATE_USER = statement('update-user');
const BLOCK_USER = statement('block-user');
const UNBLOCK_USER = statement('unblock-user');
const STANDINGS = statement('standings');

/** Below it a part of a name has no trigram of its own: then it is looked for where a word begins. */
const TRIGRAM_CHARS = 3;

interface StandingRow {
  readonly user_id: string;
  readonly disabled_at: number | null;
  readonly erased_at: number | null;
  readonly revoked_at: number | null;
  readonly revoked_sids: readonly string[];
}

/** Users, as they find and describe one another. */
export function directory(database: Database): Directory {
  return {
    search: async ({ userId, text, open, limit }) => {
      const literal = literalPattern(text);
      const anywhere = open && [...text].length < TRIGRAM_CHARS ? `% ${literal}%` : `%${literal}%`;
      const found = open ? SEARCH_USERS : SEARCH_PEERS;
      return (await database.query<UserColumns>(found, [userId, anywhere, `${literal}%`, limit])).map(userOf);
    },
    contacts: async (userId, limit) => (await database.query<UserColumns>(CONTACTS, [userId, limit])).map(userOf),
    settings: async (userId) => {
      const [row] = await database.query<{ notify: Partial<Notify>; blocked: string[] }>(USER_SETTINGS, [userId]);
      return row ?? null;
    },
    update: async (userId, patch) => {
      const [row] = await database.query<UserColumns>(UPDATE_USER, [userId, JSON.stringify(patch)]);
      return row ? userOf(row) : null;
    },
    block: async (userId, blockedId) => {
      const [row] = await database.query<{ known: boolean }>(BLOCK_USER, [userId, blockedId]);
      return row?.known ?? false;
    },
    unblock: async (userId, blockedId) => {
      const [row] = await database.query<{ gone: boolean }>(UNBLOCK_USER, [userId, blockedId]);
      return row?.gone ?? false;
    },
    standings: async (userIds) => (await database.query<StandingRow>(STANDINGS, [userIds])).map(standingOf),
  };
}

function standingOf(row: StandingRow): Standing {
  return {
    userId: row.user_id,
    disabledAt: row.disabled_at,
    erasedAt: row.erased_at,
    revokedAt: row.revoked_at,
    revokedSids: row.revoked_sids,
  };
}
