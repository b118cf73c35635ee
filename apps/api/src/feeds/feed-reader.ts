import type { Listener } from '../hub/wake-up.ts';

/** One event, with the id by which a client says how far it came. */
export interface Item<E> {
  readonly id: string;
  readonly event: E;
}

/** One user's place in what a feed tells. It is pulled: it wakes whoever reads, by the function that it was made with. */
export interface FeedReader<E> {
  /** To be awaited before anything else. Rejects when the feed cannot be opened; when a store was away it can be called again. */
  open(): Promise<void>;
  /** The next event, if there is one at hand. Throws when the feed is over for this user. */
  take(): Item<E> | null;
  /** Whether only something new can bring the next event; else `catchUp` does. */
  readonly isEven: boolean;
  /** Brings what is not at hand. Waits while a store is away. */
  catchUp(): Promise<void>;
  /** Lets go of everything. A call that is under way finds nothing to hold any more. */
  close(): void;
}

/** What the reader of one feed is given: it is woken when there may be something to take. */
export interface Reading extends Listener {
  /** Aborted when nobody reads any more. */
  readonly signal: AbortSignal;
}
