import type { ErrorCode, Input, Position } from '@parley/protocol';

/** A message as the caller wrote it; channel, id and operation are the outbox's to add. */
export type SendDraft = Omit<Input<'message.send'>, 'channelId' | 'clientMsgId' | 'op' | 'ack'>;

/** A durable change that the outbox repeats until it is settled. */
export type DurableOperation = { readonly kind: 'send'; readonly draft: SendDraft };

/** Why an operation was refused for good. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string | null;
}

/** An operation as it is stored: enough to send it again after a reload. */
export interface OutboxEntry {
  /** The operation's id: for a message its `clientMsgId`. */
  readonly id: string;
  readonly channelId: string;
  /** Rises from entry to entry: the order of sending. */
  readonly order: number;
  readonly createdAt: number;
  readonly operation: DurableOperation;
  /**
   * No older than the epoch of the first try, 0 when that is not known; null before the first try. An epoch that is too low costs the
   * server a look-up, one that is too high could have the operation appended twice.
   */
  readonly triedIn: number | null;
  readonly refusal: Refusal | null;
}

/** Where the log put an operation. */
export interface Acceptance {
  readonly messageId: string;
  readonly position: Position;
  readonly sentAt: number;
}

/**
 * An operation that is not settled yet, as a view shows it. `pending`: not accepted in the current epoch · `accepted`: in the log, kept
 * until it is persisted · `failed`: refused for good, until `retry` or `discard`.
 */
export interface OutboxItem {
  readonly id: string;
  readonly channelId: string;
  readonly createdAt: number;
  readonly operation: DurableOperation;
  readonly state: 'pending' | 'accepted' | 'failed';
  readonly acceptance: Acceptance | null;
  readonly refusal: Refusal | null;
}
