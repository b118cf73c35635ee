import { type HeaderSnapshot, type HeaderSource, partitionOf } from '@parley/domain';
import { formatPosition } from '@parley/protocol';
import type { Database } from './database.ts';
import { type CursorTriple, cursorPosition } from './positions.ts';
import { statement } from './statement.ts';

const HEADER = statement('header');

interface HeaderRow {
  readonly epoch: number;
  readonly version: number;
  readonly member_limit: number;
  readonly archived_at: number | null;
  readonly doubtful: boolean;
  readonly deleted: readonly PositionPair[];
  readonly head: { readonly epoch: number; readonly n: number; readonly m: number; readonly at: number } | null;
  readonly holes: readonly number[];
  readonly members: readonly HeaderMember[];
}

type HeaderMember = [
  userId: string,
  rank: number,
  silencedUntil: number,
  readTo: CursorTriple,
  deliveredTo: CursorTriple,
  unread: number,
  mentions: readonly PositionPair[] | null,
];

type PositionPair = readonly [epoch: number, n: number];

/** Headers as Postgres has them. */
export function headerSource(database: Database): HeaderSource {
  return {
    header: async (channelId) => {
      const [row] = await database.query<HeaderRow>(HEADER, [channelId, partitionOf(channelId)]);
      return row ? snapshotOf(row) : null;
    },
  };
}

function snapshotOf({ epoch, version, head, holes, members, ...row }: HeaderRow): HeaderSnapshot {
  return {
    epoch,
    version,
    memberLimit: row.member_limit,
    archivedAt: row.archived_at,
    ...(row.doubtful && { doubtful: true }),
    deleted: row.deleted.map(positionAt),
    holes,
    head: head && { position: formatPosition(head), m: head.m, at: head.at },
    members: members.map(([userId, rank, silencedUntilMs, readTo, deliveredTo, unread, mentions]) => ({
      userId,
      rank,
      silencedUntilMs,
      readTo: cursorAt(readTo),
      deliveredTo: cursorAt(deliveredTo),
      unread,
      mentions: mentions?.map(positionAt) ?? [],
    })),
  };
}

function positionAt([epoch, n]: PositionPair) {
  return formatPosition({ epoch, n });
}

function cursorAt(cursor: CursorTriple) {
  const position = cursorPosition(cursor);
  return position && { position, at: cursor[2] };
}
