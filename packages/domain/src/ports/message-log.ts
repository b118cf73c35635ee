import type { Position } from '@parley/protocol';
import type { EntryKind, LogPlace } from '../log-line.ts';

/** A message on its way into the log. */
export interface Draft {
  readonly channelId: string;
  readonly senderId: string;
  readonly clientMsgId: string;
  readonly messageId: string;
  /** A `CreatedPayload` as JSON: stored, published and persisted unchanged. */
  readonly json: string;
}

/** A member change on its way into the log. */
export interface MemberChange {
  readonly channelId: string;
  readonly actorId: string;
  readonly operationId: string;
  readonly kind: EntryKind;
  readonly userId: string;
  /** The rank to set; null removes the member. */
  readonly rank: number | null;
  readonly leastRank: number;
  /** A `MemberPayload` as JSON. */
  readonly json: string;
}

export type Verdict =
  /** In the log. `first`: the partition's log was empty, so nobody has rung for it yet. */
  | { readonly type: 'accepted'; readonly place: LogPlace; readonly first: boolean }
  /** This operation was accepted before. `settled`: it is of an older epoch or no longer in the log, so Postgres knows what became of it. */
  | { readonly type: 'duplicate'; readonly id: string; readonly place: LogPlace; readonly settled: boolean }
  /** The channel's state is already so: nothing was written. */
  | { readonly type: 'unchanged' }
  /** This node's epoch is not the log's, or the server forgot: renew, then try again. */
  | { readonly type: 'epoch' }
  /** The channel has no header of this epoch: load it, then try again. */
  | { readonly type: 'missing' }
  /** The actor is no member (or the one to be removed is none). Final. */
  | { readonly type: 'stranger' }
  | { readonly type: 'forbidden' }
  | { readonly type: 'silenced'; readonly untilMs: number }
  | { readonly type: 'full' }
  | { readonly type: 'backpressure' };

/**
 * The write-ahead log of everything durable. One call = one round trip = one script: dedupe, membership, position, append to the log
 * and to the window, publication – all or nothing. A call that throws has an unknown outcome; the same operation id may be sent again.
 */
export interface MessageLog {
  /** The epoch that this node writes in, for this channel's partition. */
  epochOf(channelId: string): number;
  accept(draft: Draft): Promise<Verdict>;
  change(change: MemberChange): Promise<Verdict>;
  /** Forgets the answer to an operation that Postgres does not know, if it is still the one given. */
  forgetAnswer(operation: {
    channelId: string;
    actorId: string;
    operationId: string;
    position: Position;
  }): Promise<void>;
  /** Agrees with the log store and Postgres on an epoch again; opens a new one when the store has forgotten. Single flight. */
  renew(): Promise<void>;
  /** Loads a channel's header once per epoch. False when the channel does not exist. Single flight per channel. */
  load(channelId: string): Promise<boolean>;
}
