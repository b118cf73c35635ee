/** For whom a feed is opened. */
export interface FeedSession {
  readonly userId: string;
  readonly name: string;
  /** Counts a feed of this connection. Gives what ends the count; undefined: it holds as many as it may. */
  readonly holdFeed?: (() => (() => void) | undefined) | undefined;
}
