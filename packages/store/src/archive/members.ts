import type { Archive } from '@parley/domain';
import { parsePosition } from '@parley/protocol';
import type { Database } from '../database.ts';
import { statement } from '../statement.ts';
import { type PageQuery, pageOf, readCursor } from './keyset.ts';
import { type MemberColumns, memberOf } from './rows.ts';

const MEMBERS = statement('members');
const MEMBERS_BY_ID = statement('members-by-id');
const RECEIPTS = statement('receipts');
const MUTE = statement('mute');

interface MemberRow {
  readonly member: MemberColumns;
}

interface PageRow extends MemberRow {
  readonly epoch: number;
  readonly version: number;
}

interface ReceiptRow {
  readonly user_id: string;
  readonly delivered_at: number | null;
  readonly read_at: number | null;
}

/** A channel's members in the order in which they joined: a new role moves nobody to another page. */
export function members(database: Database): Pick<Archive, 'members' | 'membersById' | 'receipts' | 'mute'> {
  return {
    members: async (channelId, { cursor, limit }: PageQuery) => {
      const from = cursor === null ? null : readCursor(cursor);
      const values = [channelId, from?.at ?? null, from?.id ?? null, limit + 1];
      const rows = await database.query<PageRow>(MEMBERS, values);
      const [first] = rows;
      const page = pageOf(rows, limit, {
        item: (row) => memberOf(row.member),
        keyset: ({ member }) => ({ at: member.joined_at, id: member.user.id }),
      });
      return { ...page, asOf: first ? { epoch: first.epoch, version: first.version } : null };
    },
    membersById: async (channelId, userIds) => {
      const rows = await database.query<MemberRow>(MEMBERS_BY_ID, [channelId, userIds]);
      return rows.map((row) => memberOf(row.member));
    },
    receipts: async (channelId, position, withoutId) => {
      const { epoch, n } = parsePosition(position);
      const rows = await database.query<ReceiptRow>(RECEIPTS, [channelId, epoch, n, withoutId]);
      return rows.map((row) => ({ userId: row.user_id, deliveredAt: row.delivered_at, readAt: row.read_at }));
    },
    mute: async (channelId, userId, until) => (await database.query(MUTE, [channelId, userId, until])).length > 0,
  };
}
