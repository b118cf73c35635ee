import type { AdminStore, Announcement } from '@parley/domain';
import { pageOf, readCursor } from '../archive/keyset.ts';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';

const ANNOUNCE = statement('announce');
const ANNOUNCEMENTS = statement('announcements');
const AUDIT = statement('audit');
const AUDIT_LINES = statement('audit-lines');

interface AuditColumns {
  readonly id: number;
  readonly at: number;
  readonly call_id: string;
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  readonly target: string | null;
  readonly outcome: string | null;
}

type Records = Pick<AdminStore, 'announce' | 'announcements' | 'audit' | 'auditLines'>;

/** What is only ever added: announcements, and the audit. */
export function adminRecords(database: Database): Records {
  return {
    announce: async ({ id, text }) => {
      const [row] = await database.query<Announcement>(ANNOUNCE, [id, text]);
      if (!row) throw new Error('announce gave no row');
      return row;
    },
    announcements: async ({ cursor, limit }) => {
      const rows = await database.query<Announcement>(ANNOUNCEMENTS, [...fromCursor(cursor), limit + 1]);
      return pageOf(rows, limit, { item: (row) => row, keyset: ({ at, id }) => ({ at, id }) });
    },
    audit: async ({ callId, actor, address, action, target, outcome }) => {
      await database.query(AUDIT, [callId, actor, address, action, target, outcome]);
    },
    auditLines: async ({ cursor, limit }) => {
      const [before] = fromCursor(cursor);
      const rows = await database.query<AuditColumns>(AUDIT_LINES, [before, limit + 1]);
      return pageOf(rows, limit, {
        item: ({ at, call_id: callId, actor, address, action, target, outcome }) => {
          return { at, callId, actor, address, action, target, outcome };
        },
        // Two lines of one call may be of one millisecond: their numbers tell which was first.
        keyset: ({ id, call_id }) => ({ at: id, id: call_id }),
      });
    },
  };
}

function fromCursor(cursor: string | null): unknown[] {
  const from = cursor === null ? null : readCursor(cursor);
  return [from?.at ?? null, from?.id ?? null];
}
