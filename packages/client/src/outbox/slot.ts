import { type Position, parsePosition } from '@parley/protocol';
import { type Acceptance, messageNeeded, type OutboxEntry, type OutboxItem } from './entry.ts';

/** After this many times that an accepted entry turned out to be a hole, it is refused for good: Postgres does not take it. */
const HOLES_MAX = 3;

/** One operation in its line, and what is known of it. */
export interface Slot {
  entry: OutboxEntry;
  /** The epoch of the answer that confirmed it; null while it has to be sent (again). */
  confirmedIn: number | null;
  confirmedAt: number;
  acceptance: Acceptance | null;
  holes: number;
  /** A message that it needs is not there: others go first. */
  isWaiting: boolean;
}

/** An operation of which nothing is known yet. */
export function newSlot(entry: OutboxEntry): Slot {
  return { entry, confirmedIn: null, confirmedAt: 0, acceptance: null, holes: 0, isWaiting: false };
}

/** The message that must be there for it; null when none must. */
export function needed({ entry }: Slot): string | null {
  return messageNeeded(entry.operation);
}

/** The epoch in whose log an accepted operation stands. The answer itself may name a newer one, in which that log is lost already. */
export function acceptedIn(epoch: number, position: Position): number {
  return Math.min(epoch, parsePosition(position).epoch);
}

/** As views see it, with where it stands as far as that holds. */
export function itemOf(entry: OutboxEntry, acceptance: Acceptance | null): OutboxItem {
  const { id, channelId, createdAt, operation, refusal } = entry;
  const state = refusal ? 'failed' : acceptance ? 'accepted' : 'pending';
  return { id, channelId, createdAt, operation, state, acceptance, refusal };
}

/** Whether it has to be sent now. */
export function isUnconfirmed(slot: Slot): boolean {
  return slot.confirmedIn === null && slot.entry.refusal === null && !slot.isWaiting;
}

/** It did not come to be there. Its twin may stand in Postgres: the server looks, when it comes again. */
export function fellIntoHole(slot: Slot): void {
  slot.holes += 1;
  slot.acceptance = null;
  if (slot.holes >= HOLES_MAX) slot.entry = { ...slot.entry, refusal: { code: 'INVALID', reason: 'rejected' } };
}
