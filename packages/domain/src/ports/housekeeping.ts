import type { Position } from '@parley/protocol';

/** What became of one batch of a channel's oldest entries. */
export interface Removal {
  readonly messages: number;
  readonly changes: number;
  /** Up to where the channel's history is removed; null when nothing was. */
  readonly upTo: Position | null;
}

/** An entry that Postgres refused for ever. */
export interface DeadLetter {
  readonly partition: number;
  readonly epoch: number;
  readonly k: number;
  readonly channelId: string | null;
  readonly senderId: string | null;
  readonly clientMsgId: string | null;
  readonly line: Uint8Array;
  readonly reason: string;
  readonly at: number;
}

/** Where a dead letter stood in its partition's log. */
export type DeadLetterId = Pick<DeadLetter, 'partition' | 'epoch' | 'k'>;

/** Postgres, as jobs keep it in order. Every method is one statement, and harmless when it comes twice. */
export interface Housekeeping {
  /** Channels after this one, in the order of ids, whose oldest entry is older. */
  expiredChannels(query: { beforeMs: number; afterId: string | null; limit: number }): Promise<string[]>;
  /** Removes a channel's oldest entries, at most `limit`, as far as they are older; from then on its history begins after them. */
  removeExpired(query: { channelId: string; beforeMs: number; limit: number }): Promise<Removal>;
  /** Takes the words out of messages that were deleted before; the number of them. */
  blankDeleted(query: { beforeMs: number; limit: number }): Promise<number>;
  /** Removes dead letters that were put aside before: they hold what was said. The number of them. */
  forgetDeadLetters(query: { beforeMs: number; limit: number }): Promise<number>;
  /** Forgets push subscriptions that have expired, and notices that nobody can be told of any more; the number of them. */
  removeStale(query: { nowMs: number; limit: number }): Promise<number>;
  /** Counts each day since `sinceMs` (a midnight in UTC) anew; the number of days. */
  countDays(sinceMs: number): Promise<number>;
  /** Removes what was counted of days before; the number of rows. */
  forgetDays(beforeMs: number): Promise<number>;
  /** The newest position of each of these channels that has one. */
  heads(channelIds: readonly string[]): Promise<Map<string, Position>>;
  /** Newest first. */
  deadLetters(limit: number): Promise<DeadLetter[]>;
  deadLetter(id: DeadLetterId): Promise<DeadLetter | null>;
  /** True when it was there. */
  discardDeadLetter(id: DeadLetterId): Promise<boolean>;
}
