import type { DeadLetter, DeadLetterId, Housekeeping } from '@parley/domain';
import { formatPosition } from '@parley/protocol';
import type { Database } from './database.ts';
import { positionOrNull } from './positions.ts';
import { type Statement, statement } from './statement.ts';

const EXPIRED_CHANNELS = statement('expired-channels');
const REMOVE_EXPIRED = statement('remove-expired');
const BLANK_DELETED = statement('blank-deleted');
const FORGET_DEAD_LETTERS = statement('forget-dead-letters');
const REMOVE_STALE = statement('remove-stale');
const COUNT_DAYS = statement('count-days');
const FORGET_DAYS = statement('forget-days');
const HEADS = statement('heads');
const DEAD_LETTERS = statement('dead-letters');
const DEAD_LETTER = statement('dead-letter');
const DISCARD_DEAD_LETTER = statement('discard-dead-letter');

interface RemovalRow {
  readonly messages: number;
  readonly changes: number;
  readonly epoch: number | null;
  readonly n: number | null;
}

interface HeadRow {
  readonly channel_id: string;
  readonly epoch: number;
  readonly n: number;
}

interface DeadLetterRow extends DeadLetterId {
  readonly channel_id: string | null;
  readonly sender_id: string | null;
  readonly client_msg_id: string | null;
  readonly line: Uint8Array;
  readonly reason: string;
  readonly at: number;
}

/** Postgres, as jobs keep it in order. */
export function housekeeping(database: Database): Housekeeping {
  const count = async (counting: Statement, values: readonly unknown[]): Promise<number> => {
    const [row] = await database.query<{ count: number }>(counting, values);
    return row?.count ?? 0;
  };
  return {
    expiredChannels: async ({ beforeMs, afterId, limit }) => {
      const rows = await database.query<{ channel_id: string }>(EXPIRED_CHANNELS, [beforeMs, afterId, limit]);
      return rows.map((row) => row.channel_id);
    },
    removeExpired: async ({ channelId, beforeMs, limit }) => {
      const [row] = await database.query<RemovalRow>(REMOVE_EXPIRED, [channelId, beforeMs, limit]);
      const { messages = 0, changes = 0, epoch = null, n = null } = row ?? {};
      return { messages, changes, upTo: positionOrNull(epoch, n) };
    },
    blankDeleted: ({ beforeMs, limit }) => count(BLANK_DELETED, [beforeMs, limit]),
    forgetDeadLetters: ({ beforeMs, limit }) => count(FORGET_DEAD_LETTERS, [beforeMs, limit]),
    removeStale: ({ nowMs, limit }) => count(REMOVE_STALE, [nowMs, limit]),
    countDays: (sinceMs) => count(COUNT_DAYS, [sinceMs]),
    forgetDays: (beforeMs) => count(FORGET_DAYS, [beforeMs]),
    heads: async (channelIds) => {
      const rows = await database.query<HeadRow>(HEADS, [channelIds]);
      return new Map(rows.map((row) => [row.channel_id, formatPosition(row)]));
    },
    deadLetters: async (limit) => (await database.query<DeadLetterRow>(DEAD_LETTERS, [limit])).map(deadLetterOf),
    deadLetter: async ({ partition, epoch, k }) => {
      const [row] = await database.query<DeadLetterRow>(DEAD_LETTER, [partition, epoch, k]);
      return row ? deadLetterOf(row) : null;
    },
    discardDeadLetter: async ({ partition, epoch, k }) =>
      (await database.query(DISCARD_DEAD_LETTER, [partition, epoch, k])).length > 0,
  };
}

function deadLetterOf(row: DeadLetterRow): DeadLetter {
  const { partition, epoch, k, line, reason, at } = row;
  const of = { channelId: row.channel_id, senderId: row.sender_id, clientMsgId: row.client_msg_id };
  return { partition, epoch, k, ...of, line, reason, at };
}
