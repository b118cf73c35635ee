/**
 * `pending`: announced, maybe uploaded · `ready`: looked at; a message may carry it · `deleted`: its bytes are going, nobody gets them.
 */
export type AttachmentState = 'pending' | 'ready' | 'deleted';

/** An attachment as Postgres has it. Size and type are what was declared while it is pending, and what was found afterwards. */
export interface StoredAttachment {
  readonly id: string;
  readonly channelId: string;
  readonly uploaderId: string;
  readonly fileName: string;
  readonly contentType: string;
  readonly byteSize: number;
  readonly storageKey: string;
  readonly state: AttachmentState;
  /** The message that carries it. */
  readonly messageId: string | null;
}

/** Attachments for one message of one sender. */
export interface AttachmentUse {
  readonly ids: readonly string[];
  readonly channelId: string;
  readonly uploaderId: string;
  readonly messageId: string;
}

/** Postgres, as the procedures of attachments use it. Every method is one statement. */
export interface Attachments {
  create(attachment: Omit<StoredAttachment, 'state' | 'messageId'>): Promise<void>;
  /** Null also when the message that carried it is deleted. */
  find(id: string): Promise<StoredAttachment | null>;
  /** Null: it is not pending any more. */
  markReady(id: string, found: { contentType: string; byteSize: number }): Promise<StoredAttachment | null>;
  /**
   * Gives them to the message, all or none; the same message may ask again. Null: one of them is not ready, of another channel, of
   * somebody else or of another message. In the order asked.
   */
  use(use: AttachmentUse): Promise<StoredAttachment[] | null>;
}

/** A place in the order in which attachments were announced. */
export interface AttachmentCursor {
  readonly createdAt: number;
  readonly id: string;
}

/** When an attachment is in nobody's hands any more. Epoch milliseconds. */
export interface AttachmentCutoffs {
  /** Announced before this and in no message: given up. */
  readonly unused: number;
  /** Given before this to a message that never came to be. */
  readonly unsent: number;
  /** Announced before this: past the retention, whatever carries it. Null: kept for ever. */
  readonly retention: number | null;
}

/** Postgres, as the clean-up uses it. */
export interface AttachmentGraves {
  /** Looks at the next ones, oldest first, and marks `deleted` what is in nobody's hands. `next` is null after the last one. */
  condemn(
    after: AttachmentCursor | null,
    options: { cutoffs: AttachmentCutoffs; limit: number },
  ): Promise<{ condemned: string[]; next: AttachmentCursor | null }>;
  /** Forgets those whose bytes are gone. */
  bury(ids: readonly string[]): Promise<void>;
}
