import type { Position } from '@parley/protocol';
import type { LogPlace } from '../log-line.ts';

/** What the log store knows of a channel, as one user sees it. */
export interface ChannelView {
  readonly epoch: number;
  /** The newest place of this epoch; n is 0 when nothing happened in it yet. */
  readonly head: LogPlace;
  /** The newest position of all, null when the channel never had an entry. */
  readonly headPosition: Position | null;
  /** The newest position before this epoch; null: the channel began in it. Absent where that is not known. */
  readonly base?: Position | null;
  /** Everything of this epoch up to this n is settled in Postgres. */
  readonly persistedN: number;
  /**
   * Entries of this epoch that were superseded or rejected; `m` is 0 for those that no count of messages has in it: they were none, or
   * the count was made without them.
   */
  readonly holes: readonly { readonly n: number; readonly m: number }[];
  readonly version: number;
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
  /** The cursor stands here now: moved, or already further. */
  | { readonly type: 'at'; readonly place: LogPlace; readonly view: ChannelView }
  /** The window cannot tell: count the messages that Postgres has after the position, up to this mark, and call again with both. */
  | { readonly type: 'count'; readonly upTo: Mark }
  | { readonly type: 'epoch' }
  | { readonly type: 'missing' }
  | { readonly type: 'stranger' }
  /** The position is beyond the head. */
  | { readonly type: 'ahead' };

/** Reads of the log store. One round trip each, whatever the number of channels. Nothing here writes but `read`. */
export interface ChannelViews {
  /** In the order asked; null where the channel has no header of the current epoch. */
  views(userId: string, channelIds: readonly string[]): Promise<(ChannelView | null)[]>;
  /** The window's lines after a position, oldest first. */
  after(channelId: string, position: Position, limit: number): Promise<string[]>;
  /** The window's last lines before a position (exclusive; null: from the head), oldest first. */
  before(channelId: string, position: Position | null, limit: number): Promise<string[]>;
  /** The last line of each window. */
  last(channelIds: readonly string[]): Promise<(string | null)[]>;
  cursors(channelId: string, userIds: readonly string[]): Promise<Cursors[]>;
  /** Moves a read cursor up; it never goes back. Publishes a `read` notice when it moved. */
  read(cursor: ReadCursor): Promise<ReadVerdict>;
}

/**
 * Messages after the read cursor that came to be. A cursor's m is counted anew when the header is loaded, so it compares with the
 * head's m whatever the cursor's epoch.
 */
export function unreadOf(view: ChannelView): number {
  const read = view.readTo;
  if (!read) return 0;
  const gone = view.holes.filter((hole) => hole.m > read.m).length;
  return Math.max(0, view.head.m - read.m - gone);
}
