import type { AdminStore } from '@parley/domain';
import type { Database } from '../database.ts';
import { adminChannels } from './channels.ts';
import { eraseStore } from './erasure.ts';
import { exportUser } from './export-user.ts';
import { adminRecords } from './records.ts';
import { adminUsers } from './users.ts';

/** Postgres, as administrators read and write it. */
export function adminStore(database: Database): AdminStore {
  return {
    ...adminUsers(database),
    ...adminChannels(database),
    ...adminRecords(database),
    ...eraseStore(database),
    exportUser: (userId) => exportUser(database, userId),
  };
}
