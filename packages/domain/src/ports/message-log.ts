import type { Position } from '@parley/protocol';
import type { ChannelState, EntryKind, LogPlace, MessageState } from '../log-line.ts';

/** A message on its way into the log. */
export interface Draft {
  readonly channelId: string;
  readonly senderId: string;
  readonly clientMsgId: string;
  readonly messageId: string;
  /** A `CreatedPayload` as JSON: stored, published and persisted unchanged. */
  readonly json: string;
  readonly mentions?: readonly string[];
  /** The message whose thread this is a reply in. */
  readonly threadOf?: string;
  /** The thread's message as Postgres or the window has it, when the log has asked for it. */
  readonly known?: Known;
}

/** What was read of messages (or, by its own id, of the channel) that the log store has no state of. Holds in one epoch only. */
export interface Known {
  readonly epoch: number;
  readonly states: Readonly<Record<string, MessageState | ChannelState>>;
}

/** A change of a message, or of the channel itself, on its way into the log. */
export interface Amendment {
  readonly channelId: string;
  readonly actorId: string;
  readonly operationId: string;
  /** Who has not this rank may change only what is his own; and of the channel nothing. */
  readonly leastRank: number;
  readonly change:
    | { readonly kind: 'e'; readonly messageId: string; readonly body: string }
    | { readonly kind: 'd'; readonly messageId: string }
    | { readonly kind: 'r'; readonly messageId: string; readonly emoji: string; readonly added: boolean }
    /** `archived`: null leaves it as it is. */
    | {
        readonly kind: 'h';
        readonly fields: Partial<Omit<ChannelState, 'archivedAt'>>;
        readonly archived: boolean | null;
      };
  /** An `AmendPayload` or `ChannelPayload` as JSON, without what the script puts in front. */
  readonly json: string;
  readonly known?: Known;
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
  /** Epoch milliseconds, 0: not any more. Absent: as it was. */
  readonly silencedUntil?: number;
  /** Whether somebody who is no member may bring himself in. */
  readonly admitted?: boolean;
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
  /** The message is deleted, since the entry at this place. `settled`: and Postgres has it. */
  | { readonly type: 'gone'; readonly place: LogPlace; readonly settled: boolean }
  /** It is so already, since the entry at this place, and Postgres has it. */
  | { readonly type: 'standing'; readonly id: string; readonly place: LogPlace }
  /** The log store has no state of a message that this is about: call again with what is known of it. */
  | { readonly type: 'unknown' }
  | { readonly type: 'archived' }
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
  amend(amendment: Amendment): Promise<Verdict>;
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
