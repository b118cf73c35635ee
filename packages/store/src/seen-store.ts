import type { SeenStore } from '@parley/domain';
import type { Database } from './database.ts';
import { statement } from './statement.ts';

const USERS_SEEN = statement('users-seen');

/** When users were seen last, as Postgres remembers it. */
export function seenStore(database: Database): SeenStore {
  return {
    saw: async (users) => {
      if (users.length === 0) return;
      await database.query(USERS_SEEN, [users.map(({ userId }) => userId), users.map(({ at }) => at)]);
    },
  };
}
