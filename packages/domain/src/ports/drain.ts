import type { Position } from '@parley/protocol';
import type { ChannelState, CreatedPayload, LogPlace } from '../log-line.ts';
import type { PartitionCursor } from './ledger.ts';

/** An entry as the worker read it from the log: `epoch-k` is the log's own id. */
export interface LoggedEntry {
  readonly partition: number;
  readonly epoch: number;
  readonly k: number;
  readonly line: string;
}

/** What one read of a lane found. `epoch` is the log store's own word, read in the same pipeline as the entries and before them. */
export interface PartitionRead {
  readonly partition: number;
  /** Null when the store has forgotten it. */
  readonly epoch: number | null;
  readonly entries: readonly LoggedEntry[];
}

/** How far a partition moves in one commit. The statement writes nothing of a partition whose epoch or cursor is not as read. */
export interface Move {
  readonly from: PartitionCursor;
  readonly toEpoch: number;
  readonly toK: number;
}

export interface CreatedRow extends CreatedPayload {
  readonly partition: number;
  readonly place: LogPlace;
  /** Changed within the batch already. */
  readonly editedAt: number | null;
  readonly deletedAt: number | null;
}

/** A member as the batch leaves him (changes of one member are folded, the last wins). */
export interface MemberRow {
  readonly partition: number;
  readonly channelId: string;
  readonly userId: string;
  /** Null: gone. */
  readonly rank: number | null;
  /** Absent: as it was. */
  readonly silencedUntil?: number;
  readonly version: number;
  /** Where he joined, if this batch holds his joining; else his last change. */
  readonly place: LogPlace;
  /** The batch holds his joining: his cursors and `joined_at` start at `place`, even where an older row of his is still there. */
  readonly joined?: boolean;
}

/** A message as the batch leaves it: each change says the whole, so the last one wins. Not of messages that the batch itself creates. */
export interface AmendedRow {
  readonly partition: number;
  readonly channelId: string;
  readonly messageId: string;
  readonly body: string;
  readonly editedAt: number | null;
  readonly deletedAt: number | null;
}

/** A reaction as the batch leaves it. */
export interface ReactionRow {
  readonly partition: number;
  readonly channelId: string;
  readonly messageId: string;
  readonly userId: string;
  readonly emoji: string;
  readonly at: number;
  readonly added: boolean;
}

/** A message mentions somebody. */
export interface MentionRow {
  readonly partition: number;
  readonly channelId: string;
  readonly userId: string;
  readonly place: LogPlace;
}

/** A channel as the batch leaves it. */
export interface ChannelStateRow extends ChannelState {
  readonly partition: number;
  readonly channelId: string;
  readonly version: number;
}

export interface ChangeRow {
  readonly partition: number;
  readonly channelId: string;
  readonly place: LogPlace;
  /** An entry kind, or `x` rejected. */
  readonly kind: string;
  readonly target: string | null;
  /** The operation that made it, so that a resend finds its outcome. */
  readonly operationId: string | null;
  readonly actorId: string | null;
}

export interface DeadLetterRow {
  readonly partition: number;
  readonly epoch: number;
  readonly k: number;
  readonly channelId: string | null;
  readonly place: LogPlace | null;
  readonly senderId: string | null;
  readonly clientMsgId: string | null;
  /** The line as bytes: it may hold what Postgres' text cannot. */
  readonly line: Uint8Array;
  readonly reason: string;
}

export interface HeadRow {
  readonly partition: number;
  readonly channelId: string;
  readonly place: LogPlace;
}

export interface ReadCursorRow {
  readonly channelId: string;
  readonly userId: string;
  readonly readTo: LogPlace | null;
  readonly deliveredTo: LogPlace | null;
}

/** Everything of one drain, for one statement. */
export interface DrainBatch {
  readonly moves: readonly Move[];
  readonly created: readonly CreatedRow[];
  readonly members: readonly MemberRow[];
  readonly changes: readonly ChangeRow[];
  readonly deadLetters: readonly DeadLetterRow[];
  readonly heads: readonly HeadRow[];
  readonly amended: readonly AmendedRow[];
  readonly reactions: readonly ReactionRow[];
  readonly mentions: readonly MentionRow[];
  readonly channels: readonly ChannelStateRow[];
}

export interface Superseded {
  readonly partition: number;
  readonly channelId: string;
  readonly position: Position;
  readonly senderId: string;
  readonly clientMsgId: string;
  readonly by: Position;
}

export interface DrainResult {
  /** Partitions whose rows were written; the others were not as read, and nothing of theirs was. */
  readonly moved: ReadonlySet<number>;
  readonly superseded: readonly Superseded[];
}

/** An entry that came to nothing: its twin `by` stands, or (null) it was rejected. */
export interface Hole {
  readonly channelId: string;
  readonly position: Position;
  readonly by: Position | null;
}

/** Postgres, as the worker writes it. */
/** Where an entry stands. */
export interface EntrySpot {
  readonly channelId: string;
  readonly position: Position;
}

export interface DrainStore {
  cursors(): Promise<PartitionCursor[]>;
  /**
   * One statement, autocommit: all or nothing. Throws `PoisonError` when Postgres will refuse these rows for ever, anything else when
   * the outcome is unknown: read the cursors again.
   */
  commit(batch: DrainBatch): Promise<DrainResult>;
  /**
   * Which of these entries, all committed before, are holes (`s` and `x` of `log_change`). Asked only when a settlement was lost with its
   * worker: a `persisted` mark must name the holes below it.
   */
  holesAmong(entries: readonly EntrySpot[]): Promise<readonly Hole[]>;
  /**
   * Which of these entries are not there, though they stand at or before the cursor: it was moved past them by whoever drained another
   * server that took itself for the log store. Of a channel that is no more none is.
   */
  absentAmong(entries: readonly EntrySpot[]): Promise<readonly EntrySpot[]>;
  /** Raises read and delivered cursors; never lowers one. */
  flushCursors(rows: readonly ReadCursorRow[]): Promise<void>;
}

/** Postgres refuses these rows deterministically (a class 22 or 23 error): somewhere among them is a poison entry. */
export class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

/** What the worker tells the log store after a commit, per channel. */
export interface ChannelSettlement {
  readonly channelId: string;
  /** Everything of this place's epoch up to its n is settled. */
  readonly upTo: LogPlace;
  /** `m` 0: no message. */
  readonly holes: readonly { readonly n: number; readonly m: number }[];
  /** Hole notices to publish, as lines. */
  readonly notices: readonly string[];
}

/** How much of the log is not in Postgres. */
export interface BacklogCount {
  /** How many entries wait in all partitions, and how many were ever put there: 0 of a log that is not there. */
  backlog(): Promise<{ readonly waiting: number; readonly added: number }>;
}

/** The log store, as the worker reads and trims it. */
export interface DrainLog {
  /** One pipeline: each partition's epoch first, then its entries after the cursor. */
  read(cursors: readonly PartitionCursor[], count: number): Promise<PartitionRead[]>;
  /** The age of the oldest entry of each given partition, in the store's own time; null when its log is empty. */
  oldestAgeMs(partitions: readonly number[]): Promise<(number | null)[]>;
  /** After the commit: trims the log up to the cursor, the windows, moves `persisted` marks and publishes them. */
  settle(settlement: {
    partition: number;
    toEpoch: number;
    toK: number;
    channels: readonly ChannelSettlement[];
  }): Promise<void>;
  /** Cursors that moved since they were last flushed. */
  dirtyCursors(partition: number, count: number): Promise<ReadCursorRow[]>;
  /** Forgets those that have not moved again. */
  cursorsFlushed(partition: number, rows: readonly ReadCursorRow[]): Promise<void>;
  /** Opens a new epoch where the store's word and Postgres' differ. */
  renew(): Promise<void>;
}
