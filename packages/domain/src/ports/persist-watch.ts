import type { Position } from '@parley/protocol';

/** One look at a channel's `persisted` marks, from the moment it was made until it is disposed of. */
export interface PersistedAttachment extends Disposable {
  /**
   * True as soon as a mark of the position's epoch stands at or above it and its entry is none of the holes; false when that did not
   * happen within `withinMs`, or the entry is a hole. A hint can be lost: false is no proof.
   */
  until(position: Position, withinMs: number): Promise<boolean>;
}

/** Tells when an entry has reached Postgres. Attach before the entry is accepted, so that its mark cannot pass unseen. */
export interface PersistWatch {
  watch(channelId: string): Promise<PersistedAttachment>;
}
