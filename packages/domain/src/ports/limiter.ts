/** What may be asked of a limiter. The numbers are settings. */
export type Limit =
  | 'message.send'
  | 'message.search'
  | 'channel.create'
  | 'channel.join'
  | 'attachment.create'
  | 'session.ticket'
  | 'http.query';

export interface LimitVerdict {
  readonly allowed: boolean;
  /** When refused: how long until the same call is allowed. */
  readonly retryAfterMs: number;
}

/** At most one round trip on the cache store; when it is away, local buckets of this thread. Never throws. */
export interface Limiter {
  /** All of the calls or none of them; one, unless it is said how many. */
  take(limit: Limit, userId: string, calls?: number): Promise<LimitVerdict>;
}
