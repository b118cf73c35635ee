/** What may be asked of a limiter. The numbers are settings. */
export type Limit = 'message.send' | 'channel.create' | 'channel.join' | 'http.query';

export interface LimitVerdict {
  readonly allowed: boolean;
  /** When refused: how long until the same call is allowed. */
  readonly retryAfterMs: number;
}

/** One round trip on the cache store; when it is away, local buckets of this thread. Never throws. */
export interface Limiter {
  take(limit: Limit, userId: string): Promise<LimitVerdict>;
}
