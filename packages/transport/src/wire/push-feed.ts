import type { Publication } from './publication.ts';

/** The name under which a subscription's result has its pushed form. */
export const PUSH: unique symbol = Symbol('push');

/** Where a pushed feed goes: one subscription of one socket. */
export interface FeedSink {
  /** Whether the reader keeps up. Who publishes while it is false fills memory for a reader who may be stalled. */
  readonly hasRoom: boolean;
  /** Calls back once when there is room again; never when the subscription ends before. */
  whenRoom(callback: () => void): void;
  /** Sends an event. What is sent in one turn of the event loop goes out in one write, in this order. */
  push(publication: Publication): void;
  /** Nothing more will come: the client is told that the subscription has stopped. */
  end(): void;
  /** The same after an error, which the client is told first. */
  fail(error: unknown): void;
}

/**
 * What a subscription may return to be pushed: events go from whoever makes them to the socket in the same turn, without a promise for
 * each. It is an async iterable of tracked events, too, for carriers that know nothing of this; a client sees no difference.
 */
export interface PushFeed<Yield = unknown> extends AsyncIterable<Yield> {
  /**
   * Begins to push. Gives what ends it: disposed of once, when the client stops or is gone, and not after `end` or `fail`. From here on
   * that is all that is told: the signal of the call is let go of.
   */
  [PUSH](sink: FeedSink): Disposable;
}

/** Whether a subscription's result can be pushed. */
export function isPushFeed(result: object): result is PushFeed {
  return PUSH in result;
}
