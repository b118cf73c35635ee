/** For whom a feed is opened. */
export interface FeedSession {
  readonly userId: string;
  readonly name: string;
  /** Opens when the carrier wants more; a feed waits here before each event. */
  readonly gate?: { open(signal: AbortSignal): Promise<void> };
}
