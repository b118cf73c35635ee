import type { ErrorCode, Input, Level, Position } from '@parley/protocol';

/** A message as the caller wrote it; channel, id and operation are the outbox's to add. */
export type SendDraft = Omit<Input<'message.send'>, 'channelId' | 'clientMsgId' | 'op' | 'ack'>;

/** Procedures that change durably what is there already. */
export type ChangeKind =
  | 'message.edit'
  | 'message.delete'
  | 'reaction.add'
  | 'reaction.remove'
  | 'member.add'
  | 'member.remove'
  | 'member.setRole'
  | 'member.silence'
  | 'channel.update'
  | 'channel.archive'
  | 'channel.join'
  | 'channel.leave'
  | 'channel.invite';

/** A change as the caller asked for it, by the procedure that makes it; channel and operation are the outbox's to add. */
export type Change = {
  [K in ChangeKind]: { readonly kind: K; readonly input: Omit<Input<K>, 'channelId' | 'op'> };
}[ChangeKind];

/** What the outbox repeats until it is settled. */
export type DurableOperation = { readonly kind: 'send'; readonly draft: SendDraft } | Change;

/** The message that must be there for an operation: the one that it changes, or whose thread it replies in. */
export function messageNeeded(operation: DurableOperation): string | null {
  switch (operation.kind) {
    case 'send':
      return operation.draft.threadOf ?? null;
    case 'message.edit':
    case 'message.delete':
    case 'reaction.add':
    case 'reaction.remove':
      return operation.input.messageId;
    default:
      return null;
  }
}

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

/** What the server says of an operation, whatever it is. */
export interface Standing {
  /** The epoch by now. */
  readonly epoch: number;
  /** Null: it was so already, and nothing was written. */
  readonly position: Position | null;
  readonly level: Level;
  /** Of a message that was sent, and of none else. */
  readonly messageId?: string;
  readonly sentAt?: number;
}

/** Where the log put an operation. Message and time are those of a message that was sent. */
export interface Acceptance {
  readonly position: Position;
  readonly messageId: string | null;
  readonly sentAt: number | null;
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
