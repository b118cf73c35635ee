import { type Operation, type Position, parsePosition } from '@parley/protocol';
import type { Acceptance, OutboxEntry, OutboxItem, Refusal, Standing } from './entry.ts';
import { joinMarks, judge, markOf, type PersistedMark } from './persisted-mark.ts';
import { acceptedIn, fellIntoHole, isUnconfirmed, itemOf, needed, newSlot, type Slot } from './slot.ts';

/** What to send next: the entry, and how the call names itself. */
export interface Attempt {
  readonly entry: OutboxEntry;
  readonly op: Operation;
}

/**
 * The operations of one channel that are not settled, in order, and the rules by which they are sent and leave. It knows no time and no
 * network: `next` says what to send, the other methods say what became known. Each returns the items that left by it, settled: with
 * where they came to stand, or with null where nothing had to change.
 */
export class OutboxLine {
  #slots: Slot[] = [];
  #epoch = 0;
  #mark: PersistedMark | null = null;

  get isEmpty(): boolean {
    return this.#slots.length === 0;
  }

  /** The newest epoch that is known of the channel; 0 when none is. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether there is something to send. */
  get hasUnconfirmed(): boolean {
    return this.#slots.some(isUnconfirmed);
  }

  /** Whether something waits for its message. */
  get hasWaiting(): boolean {
    return this.#slots.some((slot) => slot.isWaiting);
  }

  /** Takes an entry to its place in the order; one that is here already stays as it is. */
  add(entry: OutboxEntry): void {
    if (this.#find(entry.id)) return;
    const slot = newSlot(entry);
    slot.isWaiting = this.#slots.some(
      (each) => each.isWaiting && needed(each) !== null && needed(each) === needed(slot),
    );
    this.#slots.push(slot);
    this.#slots.sort((a, b) => a.entry.order - b.entry.order);
  }

  /** The first entry that is not confirmed. It counts as tried from here on. */
  next(): Attempt | null {
    const at = this.#slots.findIndex(isUnconfirmed);
    const slot = this.#slots[at];
    if (!slot) return null;
    const { id, triedIn } = slot.entry;
    const forerunner = this.#slots.slice(0, at).findLast((before) => before.confirmedIn !== null);
    const op: Operation = { id };
    if (forerunner?.confirmedIn) op.epoch = forerunner.confirmedIn;
    if (triedIn !== null) op.triedIn = triedIn;
    slot.entry = { ...slot.entry, triedIn: triedIn ?? this.#epoch };
    return { entry: slot.entry, op };
  }

  answered(id: string, answer: Standing, now: number): OutboxItem[] {
    this.sees(answer.epoch);
    const slot = this.#find(id);
    if (!slot) return [];
    const { position, messageId = null, sentAt = null } = answer;
    if (position !== null && answer.level === 'persisted') slot.acceptance = { position, messageId, sentAt };
    if (position === null || answer.level === 'persisted') return this.#leave([slot]);
    // It was rejected while it was on its way a second time: this answer is about the try that failed.
    if (slot.entry.refusal) return [];
    const epoch = acceptedIn(answer.epoch, position);
    slot.entry = { ...slot.entry, triedIn: epoch };
    slot.acceptance = { position, messageId, sentAt };
    slot.confirmedIn = epoch < this.#epoch ? null : epoch;
    slot.confirmedAt = now;
    const verdict = this.#mark ? judge(this.#mark, position) : 'above';
    if (verdict === 'persisted') return this.#leave([slot]);
    // The server repeats an answer that came to nothing: asking again at once would only repeat it again.
    if (verdict === 'hole') fellIntoHole(slot);
    return [];
  }

  /** The server is in another epoch than the forerunners were: all of them again, in order. True when that epoch is news. */
  conflicted(epoch: number | undefined): boolean {
    const isNews = epoch !== undefined && this.sees(epoch);
    this.sendAgain();
    return isNews;
  }

  refused(id: string, refusal: Refusal): OutboxEntry | null {
    const slot = this.#find(id);
    if (!slot) return null;
    slot.entry = { ...slot.entry, refusal };
    slot.confirmedIn = null;
    slot.acceptance = null;
    slot.isWaiting = false;
    return slot.entry;
  }

  /** What was confirmed in an older epoch is not confirmed any more. True when the epoch is news. */
  sees(epoch: number): boolean {
    if (epoch <= this.#epoch) return false;
    this.#epoch = epoch;
    this.waitNoLonger();
    for (const slot of this.#slots) {
      if (slot.confirmedIn !== null && slot.confirmedIn < epoch) slot.confirmedIn = null;
    }
    return true;
  }

  marked(upTo: Position, holes: readonly Position[]): OutboxItem[] {
    const told = markOf(upTo, holes);
    this.sees(told.upTo.epoch);
    this.#mark = joinMarks(this.#mark, told);
    return this.#settle(told);
  }

  /** The entry at this position did not come to be. `by`: its twin stands there, so the operation is persisted all the same. */
  superseded(position: Position, by: Position | null): OutboxItem[] {
    const slot = this.#slots.find((each) => each.acceptance?.position === position);
    if (!slot) return [];
    if (by !== null) return this.#leave([slot]);
    fellIntoHole(slot);
    slot.confirmedIn = null;
    return [];
  }

  /** When the oldest confirmed entry was confirmed; null when there is none. */
  oldestConfirmedAt(): number | null {
    const confirmed = this.#slots.filter((slot) => slot.confirmedIn !== null && slot.entry.refusal === null);
    return confirmed.length === 0 ? null : Math.min(...confirmed.map((slot) => slot.confirmedAt));
  }

  sendAgain(): void {
    for (const slot of this.#slots) slot.confirmedIn = null;
  }

  /** The message that an entry needs is not there now. Until `waitNoLonger` all that needs the same one waits, and holds up nothing else. */
  postpone(id: string): void {
    const missing = this.#find(id);
    for (const slot of this.#slots) {
      if (missing && isUnconfirmed(slot) && needed(slot) === needed(missing)) slot.isWaiting = true;
    }
  }

  waitNoLonger(): void {
    for (const slot of this.#slots) slot.isWaiting = false;
  }

  /** What was accepted in this epoch was asked for again, and its user may not know of the channel any more: it is in the log. */
  acceptedBefore(id: string): OutboxItem[] {
    const slot = this.#find(id);
    return slot?.acceptance && this.#isCurrent(slot.acceptance) ? this.#leave([slot]) : [];
  }

  /** A refused entry goes to the end of the line. Null when it is not refused. */
  retry(id: string, order: number): OutboxEntry | null {
    const slot = this.#find(id);
    if (!slot?.entry.refusal) return null;
    this.#slots = this.#slots.filter((each) => each !== slot);
    const entry = { ...slot.entry, refusal: null, order };
    this.add(entry);
    return entry;
  }

  /** A refused entry is given up. False when it is not refused: what may have been sent cannot be taken back. */
  discard(id: string): boolean {
    const slot = this.#find(id);
    if (!slot?.entry.refusal) return false;
    this.#slots = this.#slots.filter((each) => each !== slot);
    return true;
  }

  items(): OutboxItem[] {
    return this.#slots.map((slot) => {
      const acceptance = slot.acceptance && this.#isCurrent(slot.acceptance) ? slot.acceptance : null;
      return itemOf(slot.entry, acceptance);
    });
  }

  #isCurrent(acceptance: Acceptance): boolean {
    return parsePosition(acceptance.position).epoch === this.#epoch;
  }

  #find(id: string): Slot | undefined {
    return this.#slots.find((slot) => slot.entry.id === id);
  }

  #settle(mark: PersistedMark): OutboxItem[] {
    const persisted: Slot[] = [];
    for (const slot of this.#slots) {
      const verdict = slot.acceptance ? judge(mark, slot.acceptance.position) : 'above';
      if (verdict === 'persisted') persisted.push(slot);
      if (verdict !== 'hole') continue;
      fellIntoHole(slot);
      slot.confirmedIn = null;
    }
    return this.#leave(persisted);
  }

  #leave(slots: readonly Slot[]): OutboxItem[] {
    this.#slots = this.#slots.filter((slot) => !slots.includes(slot));
    return slots.map((slot) => itemOf(slot.entry, slot.acceptance));
  }
}
