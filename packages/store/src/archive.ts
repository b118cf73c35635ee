import type { Archive } from '@parley/domain';
import { channels } from './archive/channels.ts';
import { finding } from './archive/finding.ts';
import { invitations } from './archive/invitations.ts';
import { members } from './archive/members.ts';
import { messages } from './archive/messages.ts';
import { users } from './archive/users.ts';
import type { Database } from './database.ts';

/** Postgres, as the api reads and writes it. */
export function archive(database: Database): Archive {
  return {
    ...users(database),
    ...channels(database),
    ...members(database),
    ...messages(database),
    ...finding(database),
    ...invitations(database),
  };
}
