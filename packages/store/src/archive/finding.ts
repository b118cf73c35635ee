import type { Finding } from '@parley/domain';
import { formatPosition } from '@parley/protocol';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { pageOf, readCursor } from './keyset.ts';
import { type ChannelColumns, channelOf, type MessageColumns, messageOf } from './rows.ts';

const SEARCH = statement('search');
const BROWSE = statement('browse');
const STATS = statement('stats');

interface FoundRow {
  readonly message: MessageColumns;
  readonly head: { readonly epoch: number; readonly n: number } | null;
}

interface BrowseRow {
  readonly active_at: number;
  readonly channel: ChannelColumns;
}

interface StatsRow {
  readonly messages: number;
  readonly members: number;
  readonly active_members: number;
  readonly per_day: readonly { readonly day: string; readonly messages: number }[];
}

/** What one does not have the id of, found by indexes. */
export function finding(database: Database): Finding {
  return {
    search: async ({ userId, query, channelId, senderId, cursor, limit }) => {
      const from = cursor === null ? null : readCursor(cursor);
      const values = [userId, patternOf(query), channelId, senderId, from?.at ?? null, from?.id ?? null, limit + 1];
      const rows = await database.query<FoundRow>(SEARCH, values);
      const page = pageOf(rows, limit, {
        item: (row) => messageOf(row.message),
        keyset: ({ message }) => ({ at: message.sent_at, id: message.id }),
      });
      return { ...page, heads: headsOf(rows.slice(0, limit)) };
    },
    browse: async ({ query, cursor, limit }) => {
      const from = cursor === null ? null : readCursor(cursor);
      const values = [query === null ? null : patternOf(query), from?.at ?? null, from?.id ?? null, limit + 1];
      const rows = await database.query<BrowseRow>(BROWSE, values);
      return pageOf(rows, limit, {
        item: ({ channel }) => channelOf(channel),
        keyset: ({ active_at, channel }) => ({ at: active_at, id: channel.id }),
      });
    },
    stats: async (channelId, since) => {
      const [row] = await database.query<StatsRow>(STATS, [channelId, since]);
      if (!row) throw new Error('stats gave no row');
      const { messages, members, active_members: activeMembers, per_day } = row;
      return { messages, members, activeMembers, perDay: [...per_day] };
    },
  };
}

/** A pattern that matches these words anywhere; what LIKE takes for a wildcard is a character. */
function patternOf(words: string): string {
  return `%${words.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

function headsOf(rows: readonly FoundRow[]) {
  const heads = new Map(rows.map(({ message, head }) => [message.channel_id, head && formatPosition(head)]));
  return [...heads].map(([channelId, head]) => ({ channelId, head }));
}
