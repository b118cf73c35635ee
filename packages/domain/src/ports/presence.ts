import type { PresenceStatus } from '@parley/protocol';

/** How a user is. */
export interface Presence {
  readonly userId: string;
  /** `offline` when none of his sessions is live. */
  readonly status: PresenceStatus;
  /** What he says about it, as long as he has sessions. */
  readonly text: string | null;
  /** When a session of his was last known to be live; null when that is longer ago than it is kept. */
  readonly lastSeenAt: number | null;
  /** How long this holds if nobody speaks of it again: until the last of his sessions would end by itself. Null: without end. */
  readonly holdsForMs: number | null;
}

/** What is published when a user's status changes. */
export type PresenceChange = Omit<Presence, 'text'>;

/** Presence as all nodes know it together. May forget everything at any moment; sessions come back within a heartbeat. */
export interface Presences {
  /** In the order asked, one pipeline. Throws `UNAVAILABLE` when nobody knows. */
  of(userIds: readonly string[]): Promise<Presence[]>;
  /** Nothing is known of the user any more, until a session of his begins. */
  forget(userId: string): Promise<void>;
}

export interface PresenceChoice {
  readonly status: Exclude<PresenceStatus, 'offline'>;
  /** Undefined: as it was. */
  readonly text?: string | null | undefined;
}

/** The live sessions of this node. */
export interface PresenceSessions {
  /** A session begins; the function ends it, once. Neither waits, and neither fails. */
  begin(userId: string): () => void;
  /** What the user says he is, until his last session ends. Answers `offline` when he has none: nothing is kept then. Throws `UNAVAILABLE`. */
  choose(userId: string, choice: PresenceChoice): Promise<Presence>;
}

export interface SeenUser {
  readonly userId: string;
  readonly at: number;
}

/** When users were seen last, as far as the cache store knows. A time may be told twice. */
export interface SeenTimes {
  /** Users seen at or after a time, the longest ago first. */
  from(at: number, count: number): Promise<SeenUser[]>;
  /** Removes what is left of users whose sessions have all ended without a word. Gives how many there were, `count` at most. */
  tidy(count: number): Promise<number>;
}

/** Postgres, as far as it remembers when users were seen. */
export interface SeenStore {
  /** Raises times, never lowers one. One statement; unknown users are left out. */
  saw(users: readonly SeenUser[]): Promise<void>;
}
