import { DELETED_NAME, type EraseStore, type Erasure } from '@parley/domain';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { erasureOf, presentColumns } from './owned-tables.ts';

const BEGIN_ERASURE = statement('begin-erasure');
const ERASURE = statement('erasure');
const PENDING_ERASURES = statement('pending-erasures');
const RECALL_ERASURES = statement('recall-erasures');
const MEMBERSHIPS = statement('memberships');
const DROP_MEMBERSHIPS = statement('drop-memberships');
const ERASE_MESSAGES = statement('erase-messages');
const ERASED_UP_TO = statement('erased-up-to');
const COMPLETE_ERASURE = statement('complete-erasure');

const CHANNELS_AT_ONCE = 500;
/** Each of them is written anew: a statement must end long before its time is over. */
const MESSAGES_AT_ONCE = 1_000;

interface ErasureColumns {
  readonly user_id: string;
  readonly asked_at: number;
  readonly completed_at: number | null;
  readonly after_channel: string | null;
  readonly erased: Record<string, number>;
}

/** Postgres' part of forgetting a user. */
export function eraseStore(database: Database): EraseStore {
  const one = async (rows: Promise<ErasureColumns[]>) => {
    const [row] = await rows;
    return row ? erasureFrom(row) : null;
  };
  return {
    beginErasure: (userId) => one(database.query<ErasureColumns>(BEGIN_ERASURE, [userId, DELETED_NAME])),
    erasure: (userId) => one(database.query<ErasureColumns>(ERASURE, [userId])),
    pendingErasures: async () => (await database.query<ErasureColumns>(PENDING_ERASURES)).map(erasureFrom),
    recallErasures: async (erasures) => {
      const columns = [erasures.map(({ userId }) => userId), erasures.map(({ askedAt }) => askedAt)];
      if (erasures.length > 0) await database.query(RECALL_ERASURES, columns);
    },
    membershipsOf: async (userId, limit) => {
      const rows = await database.query<{ channel_id: string }>(MEMBERSHIPS, [userId, limit]);
      return rows.map((row) => row.channel_id);
    },
    dropMemberships: async (userId) => {
      const [row] = await database.query<{ gone: number }>(DROP_MEMBERSHIPS, [userId]);
      return row?.gone ?? 0;
    },
    eraseRows: (userId) => eraseRows(database, userId),
    eraseMessages: async (userId, after) => {
      const values = [userId, after, CHANNELS_AT_ONCE, MESSAGES_AT_ONCE];
      const [row] = await database.query<{ channel_ids: string[]; messages: number }>(ERASE_MESSAGES, values);
      const { channel_ids: channelIds = [], messages = 0 } = row ?? {};
      return { channelIds, messages, more: messages >= MESSAGES_AT_ONCE };
    },
    erasedUpTo: async (userId, channelId) => {
      await database.query(ERASED_UP_TO, [userId, channelId]);
    },
    completeErasure: async (userId, erased) => {
      await database.query(COMPLETE_ERASURE, [userId, JSON.stringify(erased)]);
    },
  };
}

async function eraseRows(database: Database, userId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const owned of await presentColumns(database)) {
    const erase = erasureOf(owned);
    if (!erase) continue;
    const erased = (await database.query(erase, [userId])).length;
    counts[owned.table] = (counts[owned.table] ?? 0) + erased;
  }
  return counts;
}

function erasureFrom(row: ErasureColumns): Erasure {
  return {
    userId: row.user_id,
    askedAt: row.asked_at,
    completedAt: row.completed_at,
    afterChannel: row.after_channel,
    erased: row.erased,
  };
}
