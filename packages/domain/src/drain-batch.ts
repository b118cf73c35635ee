import type { RejectedEntry, WritableEntry } from './drain-entry.ts';
import { foldChannels, foldMessages } from './drain-fold.ts';
import { ENTRY_KINDS, type LogPlace } from './log-line.ts';
import type { ChangeRow, DeadLetterRow, DrainBatch, HeadRow, MemberRow, Move } from './ports/drain.ts';
import type { PartitionCursor } from './ports/ledger.ts';

/** The kind of a change that stands for a rejected entry. */
export const REJECTED_CHANGE = 'x';

const encoder = new TextEncoder();

/**
 * The rows of one statement. All its parts see one snapshot, so what one entry of the batch does to another is folded here: the
 * changes of one member into the last, and each channel's places into its head.
 */
export function buildBatch(
  entries: readonly WritableEntry[],
  cursors: ReadonlyMap<number, PartitionCursor>,
): DrainBatch {
  return {
    moves: movesOf(entries, cursors),
    ...foldMessages(entries),
    members: foldMembers(entries.filter((entry) => entry.type === 'member')),
    channels: foldChannels(entries.filter((entry) => entry.type === 'channel')),
    changes: entries.map(changeRow).filter((row) => row !== null),
    deadLetters: entries.filter((entry) => entry.type === 'rejected').map(deadLetterRow),
    heads: headsOf(entries),
  };
}

/** Where an entry stands and in which channel; null for one that does not say. */
export function spotOf(entry: WritableEntry): { readonly channelId: string; readonly place: LogPlace } | null {
  if (entry.type === 'rejected') return entry.hole && { channelId: entry.hole.channelId, place: entry.hole.place };
  return { channelId: entry.payload.channelId, place: entry.place };
}

/** The newest place of each channel, in the order of the channels' first entries. */
export function headsOf(entries: readonly WritableEntry[]): HeadRow[] {
  const heads = new Map<string, HeadRow>();
  for (const entry of entries) {
    const spot = spotOf(entry);
    if (spot) heads.set(spot.channelId, { partition: entry.logged.partition, ...spot });
  }
  return [...heads.values()];
}

function movesOf(entries: readonly WritableEntry[], cursors: ReadonlyMap<number, PartitionCursor>): Move[] {
  const moves = new Map<number, Move>();
  for (const { logged } of entries) {
    const from = cursors.get(logged.partition);
    if (!from) throw new RangeError(`no cursor of partition ${logged.partition}`);
    moves.set(logged.partition, { from, ...laterOf(from, logged) });
  }
  return [...moves.values()];
}

/** A cursor never falls: what stands before it and was not written is written without moving it. */
export function laterOf(
  cursor: PartitionCursor,
  { epoch, k }: { readonly epoch: number; readonly k: number },
): { readonly toEpoch: number; readonly toK: number } {
  const isBehind = epoch < cursor.readEpoch || (epoch === cursor.readEpoch && k < cursor.readK);
  return isBehind ? { toEpoch: cursor.readEpoch, toK: cursor.readK } : { toEpoch: epoch, toK: k };
}

type Entry<T extends WritableEntry['type']> = Extract<WritableEntry, { type: T }>;

function foldMembers(entries: readonly Entry<'member'>[]): MemberRow[] {
  const rows = new Map<string, MemberRow>();
  for (const { logged, place, kind, payload } of entries) {
    const { channelId, userId, rank, version, silencedUntil } = payload;
    const key = `${channelId} ${userId}`;
    const silence = silencedUntil !== undefined && { silencedUntil };
    const row: MemberRow = { partition: logged.partition, channelId, userId, rank, version, place, ...silence };
    rows.set(key, foldMember(rows.get(key), row, kind));
  }
  return [...rows.values()];
}

/**
 * A later `updated` must not move the place of a joining: history before it is not unread, what came after is. A silence holds until
 * another entry speaks of it, also when he leaves: it outlives the membership.
 */
function foldMember(before: MemberRow | undefined, row: MemberRow, kind: string): MemberRow {
  // Who comes is silenced only if his entry says so.
  if (kind === ENTRY_KINDS.joined) return { silencedUntil: 0, ...row, joined: true };
  if (!before) return row;
  const silencedUntil = row.silencedUntil ?? before.silencedUntil;
  const silenced = silencedUntil === undefined ? row : { ...row, silencedUntil };
  return kind === ENTRY_KINDS.updated && before.joined ? { ...silenced, place: before.place, joined: true } : silenced;
}

function changeRow(entry: WritableEntry): ChangeRow | null {
  const { partition } = entry.logged;
  if (entry.type === 'created') return null;
  if (entry.type !== 'rejected') {
    const { place, kind, payload } = entry;
    const { channelId, id, actorId } = payload;
    return { partition, channelId, place, kind, target: targetOf(entry), operationId: id, actorId };
  }
  if (!entry.hole) return null;
  const { channelId, place } = entry.hole;
  const { operationId, senderId } = entry;
  return { partition, channelId, place, kind: REJECTED_CHANGE, target: null, operationId, actorId: senderId };
}

function targetOf(entry: Entry<'member' | 'amended' | 'channel'>): string | null {
  if (entry.type === 'channel') return null;
  return entry.type === 'member' ? entry.payload.userId : entry.payload.messageId;
}

function deadLetterRow({ logged, hole, senderId, operationId, reason }: RejectedEntry): DeadLetterRow {
  const { partition, epoch, k, line } = logged;
  return {
    partition,
    epoch,
    k,
    channelId: hole?.channelId ?? null,
    place: hole?.place ?? null,
    senderId,
    clientMsgId: operationId,
    line: encoder.encode(line),
    reason,
  };
}
