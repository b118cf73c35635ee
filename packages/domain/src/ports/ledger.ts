import type { Position } from '@parley/protocol';

/** Where the drain of a partition stands, and the epoch that Postgres opened for it. */
export interface PartitionCursor {
  readonly partition: number;
  readonly epoch: number;
  readonly readEpoch: number;
  readonly readK: number;
}

/** The log server that an epoch was opened on, as it names itself. */
export interface LogServerIdentity {
  readonly runId: string;
  readonly replicationId: string;
}

/** The state of the epochs under the opener's lock. */
export interface EpochLock {
  readonly cursors: readonly PartitionCursor[];
  /** The server that the newest epoch was opened on; null before the first. */
  readonly openedOn: LogServerIdentity | null;
  /** Postgres is not the one that opened it: another system identifier or timeline, so it was restored. */
  readonly restored: boolean;
  /**
   * Commits a new epoch for every partition: greater than all before and than the unix second. `lost`: Postgres lacks entries that it
   * had, as after a restore, which `restored` says by itself. Who saw more than it has now is not taken to know what it knows.
   */
  open(server: LogServerIdentity, options?: { readonly lost: boolean }): Promise<number>;
}

/** Who may name an epoch: Postgres alone. */
export interface EpochLedger {
  /** Runs `work` while nobody else opens: the lock is held until it returns, which is after the epoch is set in the log store. */
  locked<T>(work: (lock: EpochLock) => Promise<T>): Promise<T>;
}

/** A channel's header as Postgres has it, from one snapshot. */
export interface HeaderSnapshot {
  /** The epoch of the channel's partition in the same snapshot. */
  readonly epoch: number;
  readonly version: number;
  readonly memberLimit: number;
  readonly archivedAt: number | null;
  /** Deleted messages after the lowest read cursor, the newest of many. */
  readonly deleted: readonly Position[];
  /** The n of this epoch's entries that were superseded or rejected, as far as Postgres knows. */
  readonly holes: readonly number[];
  /** From `channel_head`; null before the first entry. */
  readonly head: { readonly position: Position; readonly m: number; readonly at: number } | null;
  /** Postgres was restored, and its newest entry of before was saved from the log: others before it may be lost. */
  readonly doubtful?: boolean;
  /** `unread` is counted, not remembered: messages after the read cursor, deleted ones included. */
  readonly members: readonly {
    readonly userId: string;
    readonly rank: number;
    readonly silencedUntilMs: number;
    readonly readTo: { readonly position: Position; readonly at: number } | null;
    readonly deliveredTo: { readonly position: Position; readonly at: number } | null;
    readonly unread: number;
    /** Messages after his read cursor that mention him, the newest of many. */
    readonly mentions: readonly Position[];
  }[];
}

export interface HeaderSource {
  /** Null when there is no such channel. */
  header(channelId: string): Promise<HeaderSnapshot | null>;
}
