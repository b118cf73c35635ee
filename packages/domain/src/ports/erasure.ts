/** A user who is to be forgotten, and how far that has come. */
export interface Erasure {
  readonly userId: string;
  readonly askedAt: number;
  /** Null: not yet, or not on this Postgres. */
  readonly completedAt: number | null;
  /** What was said in channels up to this one is done. */
  readonly afterChannel: string | null;
  /** Rows that were erased, by table. */
  readonly erased: Readonly<Record<string, number>>;
}

/** One stretch of channels, in the order of their ids. */
export interface ErasedStretch {
  /** Of all channels of the stretch, whether he wrote there or not. */
  readonly channelIds: readonly string[];
  readonly messages: number;
  /** The stretch has more messages of his: ask again with the same `after`. */
  readonly more: boolean;
}

/** Postgres, as an erasure needs it. Every method may be repeated: what is gone stays gone. */
export interface EraseStore {
  /** Remembers that the user is to be forgotten, and makes a deleted user of him at once. Null when there is no such user. */
  beginErasure(userId: string): Promise<Erasure | null>;
  erasure(userId: string): Promise<Erasure | null>;
  /** Those that were never finished, and those that were finished on another Postgres: this one was restored since. */
  pendingErasures(): Promise<Erasure[]>;
  /** Remembers erasures that this Postgres does not know of. */
  recallErasures(erasures: readonly { userId: string; askedAt: number }[]): Promise<void>;
  /** The channels that he is a member of, some at a time. */
  membershipsOf(userId: string, limit: number): Promise<string[]>;
  /** Removes memberships that the log knows nothing of. */
  dropMemberships(userId: string): Promise<number>;
  /** Everything of his but messages and memberships, table by table. */
  eraseRows(userId: string): Promise<Record<string, number>>;
  /** Blanks what he said in the channels after this one. */
  eraseMessages(userId: string, after: string | null): Promise<ErasedStretch>;
  erasedUpTo(userId: string, channelId: string): Promise<void>;
  completeErasure(userId: string, erased: Readonly<Record<string, number>>): Promise<void>;
}

/** What the windows of channels still have of a user. */
export interface WindowPurge {
  /**
   * Cuts each window off behind the newest entry in Postgres that names the user; what Postgres does not have stays. Gives those channels
   * that are not done: their header has to be loaded first, or an entry of his own waits for Postgres.
   */
  purge(userId: string, channelIds: readonly string[]): Promise<{ missing: string[]; waiting: string[] }>;
}

/** The queues, as far as their jobs are about somebody. What people said is in none. */
export interface JobPurge {
  /**
   * Removes every job that is to tell the user something, done, dead or still to be done. Gives how many there were. Throws when the
   * queues are away.
   */
  purge(userId: string): Promise<number>;
}

/** Remembers outside Postgres who was erased: a Postgres restored from before knows nothing of it. */
export interface ErasureMemory {
  remember(userId: string, askedAt: number): Promise<void>;
  all(): Promise<{ userId: string; askedAt: number }[]>;
}

/** Makes sure that nothing more happens in a channel that is deleted. */
export interface ChannelGraves {
  /** Leaves a header without members, so that no one writes and no stale copy of the channel is loaded in its place. */
  bury(channelId: string): Promise<void>;
}
