import { type Archive, Failure, type NewChannel, RANKS } from '@parley/domain';
import type { Database } from '../database.ts';
import { StatementError } from '../database-failure.ts';
import { statement } from '../statement.ts';
import { type PageQuery, pageOf, readCursor } from './keyset.ts';
import { type ChannelColumns, type ChannelRowColumns, channelOf, channelRowOf } from './rows.ts';

const CREATE_CHANNEL = statement('create-channel');
const CHANNEL_LIST = statement('channel-list');
const CHANNEL = statement('channel');
const UNREAD = statement('unread');

const MEMBER_LIMIT_CHECK = 'channels_member_limit_check';
/** Calls that make the same channel at once: the loser finds it on its second try. */
const CREATE_TRIES = 3;

type CreatedRow =
  | { readonly channel: ChannelColumns; readonly created: boolean; readonly unknown: null; readonly deleted: false }
  | { readonly channel: null; readonly created: false; readonly unknown: string[]; readonly deleted: false }
  | { readonly channel: null; readonly created: false; readonly unknown: null; readonly deleted: true };

/** Channels, as a member sees them. */
export function channels(database: Database): Pick<Archive, 'createChannel' | 'channelsOf' | 'channel' | 'unread'> {
  return {
    createChannel: (channel) => createChannel(database, channel),
    channelsOf: async (userId, { cursor, limit }: PageQuery) => {
      const from = cursor === null ? null : readCursor(cursor);
      const values = [userId, from?.at ?? null, from?.id ?? null, limit + 1];
      const rows = await database.query<ChannelRowColumns>(CHANNEL_LIST, values);
      return pageOf(rows, limit, {
        item: channelRowOf,
        keyset: (row) => ({ at: row.active_at, id: row.channel.id }),
      });
    },
    channel: async (channelId, userId) => {
      const [row] = await database.query<ChannelRowColumns>(CHANNEL, [channelId, userId]);
      return row ? channelRowOf(row) : null;
    },
    unread: async (userId, channelIds) => {
      const rows = await database.query<{ channel_id: string; unread: number; mentions: number }>(UNREAD, [
        userId,
        channelIds,
      ]);
      return new Map(rows.map(({ channel_id, unread, mentions }) => [channel_id, { unread, mentions }]));
    },
  };
}

async function createChannel(database: Database, channel: NewChannel): ReturnType<Archive['createChannel']> {
  for (let tries = 0; tries < CREATE_TRIES; tries++) {
    const [row] = await tryToCreate(database, channel);
    if (row?.deleted) return { deleted: true };
    if (row?.unknown) return { unknown: row.unknown };
    if (row) return { channel: channelOf(row.channel), created: row.created };
  }
  throw new Failure('UNAVAILABLE', 'the channel is being made by another call', { retryAfterMs: 100 });
}

async function tryToCreate(database: Database, channel: NewChannel): Promise<CreatedRow[]> {
  const { id, kind, name, encrypted, memberLimit, ownerId, memberIds } = channel;
  // Nobody owns a direct channel.
  const ownerRank = kind === 'direct' ? RANKS.member : RANKS.owner;
  const userIds = [ownerId, ...memberIds];
  const ranks = userIds.map((userId) => (userId === ownerId ? ownerRank : RANKS.member));
  try {
    return await database.query<CreatedRow>(CREATE_CHANNEL, [id, kind, name, encrypted, memberLimit, userIds, ranks]);
  } catch (error) {
    if (error instanceof StatementError && error.constraint === MEMBER_LIMIT_CHECK) {
      throw new Failure('CHANNEL_FULL', `a channel holds at most ${memberLimit} members`);
    }
    throw error;
  }
}
