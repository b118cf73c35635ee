import { formatPosition, type Place, type Position, parsePosition } from '@parley/protocol';
import type { ChannelState, LogPlace, MessageState } from '../log-line.ts';

/** What the log store knows of a channel, as one user sees it. */
export interface ChannelView {
  readonly epoch: number;
  /** The newest place of this epoch; n is 0 when nothing happened in it yet. */
  readonly head: LogPlace;
  /** The newest position of all, null when the channel never had an entry. */
  readonly headPosition: Position | null;
  /** The newest position before this epoch; null: the channel began in it. Absent where that is not known. */
  readonly base?: Position | null;
  /** Postgres was restored: who stands at the newest position before this epoch may have seen what is lost. Absent: not so. */
  readonly doubtful?: true;
  /** Everything of this epoch up to this n is settled in Postgres. */
  readonly persistedN: number;
  /**
   * Entries of this epoch that were superseded or rejected; `m` is 0 for those that no count of messages has in it: they were none, or
   * the count was made without them.
   */
  readonly holes: readonly { readonly n: number; readonly m: number }[];
  /** Counts the changes of members and of the channel itself. */
  readonly version: number;
  readonly memberCount: number;
  readonly archivedAt: number | null;
  /** Whether any message of this channel, or the channel itself, may have a state in the log store. */
  readonly amended: boolean;
  /** Messages that were deleted and may stand after somebody's read cursor, the oldest of many left out. */
  readonly deleted: readonly Position[];
  /** Messages that mention the user and may stand after his read cursor, the oldest of many left out. */
  readonly mentions: readonly Position[];
  /** The user's rank, null for a stranger. */
  readonly rank: number | null;
  readonly readTo: LogPlace | null;
  readonly deliveredTo: LogPlace | null;
}

export interface Cursors {
  readonly readTo: LogPlace | null;
  readonly deliveredTo: LogPlace | null;
}

/** A place below which everything is settled in Postgres. */
export type Mark = Omit<LogPlace, 'at'>;

export interface ReadCursor {
  readonly channelId: string;
  readonly userId: string;
  readonly position: Position;
  /** The answer to a verdict `count`: it holds as long as the epoch, however far the mark has moved since. */
  readonly counted?: { readonly upTo: Mark; readonly messages: number };
}

export type ReadVerdict =
  /**
   * The cursor stands here now: moved, or already further. `acceptedAt`: when the entry was accepted that it moved to, by the clock of
   * `place`; absent where it did not move, or that is not known any more.
   */
  | { readonly type: 'at'; readonly place: LogPlace; readonly view: ChannelView; readonly acceptedAt?: number }
  /** The window cannot tell: count the messages that Postgres has after the position, up to this mark, and call again with both. */
  | { readonly type: 'count'; readonly upTo: Mark }
  | { readonly type: 'epoch' }
  | { readonly type: 'missing' }
  | { readonly type: 'stranger' }
  /** The position is beyond the head. */
  | { readonly type: 'ahead' };

/** Who is in a channel, from the header of the current epoch. */
export interface ChannelMembers {
  /** Where the header stood. */
  readonly head: Place;
  readonly count: number;
  /** Empty when there are more than were asked for. */
  readonly userIds: readonly string[];
}

/** What states are asked for; none is fine. */
export interface StatesAsked {
  readonly channelId: string;
  /** The head of the view by which everything else was read. */
  readonly since: Place;
  readonly ids: readonly string[];
}

/** Reads of the log store. One round trip each, whatever the number of channels. Nothing here writes but `read`. */
export interface ChannelViews {
  /** In the order asked; null where the channel has no header of the current epoch. */
  views(userId: string, channelIds: readonly string[]): Promise<(ChannelView | null)[]>;
  /** Null where the channel has no header of the current epoch. Above `most` members only their number. */
  members(channelId: string, most: number): Promise<ChannelMembers | null>;
  /** The window's lines after a position, oldest first. */
  after(channelId: string, position: Position, limit: number): Promise<string[]>;
  /** The window's last lines before a position (exclusive; null: from the head), oldest first. */
  before(channelId: string, position: Position | null, limit: number): Promise<string[]>;
  /** The line of the newest message of each window, as far as it is among the last few lines. */
  last(channelIds: readonly string[]): Promise<(string | null)[]>;
  /**
   * What the log store knows of messages (and, by its own id, of the channel) that were changed: null where it knows nothing, so that
   * Postgres, asked before, or the line that created it, is right. Null in place of a channel's states: the log store has forgotten where
   * it stood, it is another server or in another epoch, and what was read since may lack entries and changes.
   */
  states(asked: readonly StatesAsked[]): Promise<((Stated | null)[] | null)[]>;
  cursors(channelId: string, userIds: readonly string[]): Promise<Cursors[]>;
  /** All members with their cursors. */
  allCursors(channelId: string): Promise<(Cursors & { readonly userId: string })[]>;
  /** Moves a read cursor up; it never goes back. Publishes a `read` notice when it moved. */
  read(cursor: ReadCursor): Promise<ReadVerdict>;
  /** The same for the delivered cursor; `counted` is not asked for. */
  delivered(cursor: Omit<ReadCursor, 'counted'>): Promise<ReadVerdict>;
}

/** A state as it was parsed; the id that it was asked by says of what. */
export type Stated = MessageState & ChannelState;

/**
 * Messages after the read cursor that came to be and were not deleted. A cursor's m is counted anew when the header is loaded, so it compares with the
 * head's m whatever the cursor's epoch.
 */
export function unreadOf(view: UnreadView): number {
  const read = view.readTo;
  if (!read) return 0;
  const gone = view.holes.filter((hole) => hole.m > read.m).length;
  const deleted = view.deleted.filter((position) => isAfter(position, read)).length;
  return Math.max(0, view.head.m - read.m - gone - deleted);
}

/** Messages after the read cursor that mention the user and were not deleted or rejected. */
export function mentionsOf(view: UnreadView): number {
  const read = view.readTo;
  if (!read) return 0;
  const gone = new Set([...view.deleted, ...view.holes.map(({ n }) => formatPosition({ epoch: view.epoch, n }))]);
  return view.mentions.filter((position) => isAfter(position, read) && !gone.has(position)).length;
}

type UnreadView = Pick<ChannelView, 'epoch' | 'head' | 'readTo' | 'holes' | 'deleted' | 'mentions'>;

/** Whether a position comes after a place. */
export function isAfter(position: Position, place: Pick<LogPlace, 'epoch' | 'n'>): boolean {
  const { epoch, n } = parsePosition(position);
  return epoch > place.epoch || (epoch === place.epoch && n > place.n);
}
