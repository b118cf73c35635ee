/** For whom a feed is opened. */
export interface FeedSession {
  readonly userId: string;
  readonly name: string;
  /** Counts a feed of this connection; false: it holds as many as it may. */
  holdFeed?(): boolean;
  /** Counts one off again: once for each that was counted. */
  releaseFeed?(): void;
}
