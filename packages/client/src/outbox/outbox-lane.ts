import type { FailureData, Operation } from '@parley/protocol';
import type { ClientClock } from '../clock.ts';
import { failureOf } from '../failure.ts';
import { type Random, retryDelayMs } from '../retry-delay.ts';
import { createStore } from '../store.ts';
import { messageNeeded, type OutboxEntry, type OutboxItem, type Refusal, type Standing } from './entry.ts';
import { type Attempt, OutboxLine } from './outbox-line.ts';
import { acceptedIn } from './slot.ts';
import { timely } from './timely-call.ts';

/** An accepted operation that nobody calls persisted is sent again after this long, and then less and less often. */
const RESEND_AFTER_MS = 5_000;
const RESEND_AFTER_MAX_MS = 60_000;
/** In a new epoch a message may be missing that was lost with the log: for this long its author's outbox may send it again. */
const COMES_AGAIN_WITHIN_MS = 30_000;

/** What became of an entry, for the storage. */
export interface LaneObserver {
  onSettled(items: readonly OutboxItem[]): void;
  onRefused(entry: OutboxEntry): void;
}

export interface LaneOptions {
  /** Sends an operation once. What it throws is judged by `failureOf`. */
  readonly perform: (entry: OutboxEntry, op: Operation, signal: AbortSignal) => Promise<Standing>;
  readonly clock: ClientClock;
  readonly random: Random;
}

/** The sending of one channel's line: one call in flight, one timer for whatever comes next. */
export class OutboxLane {
  readonly items = createStore<readonly OutboxItem[]>([]);
  readonly #line = new OutboxLine();
  readonly #options: LaneOptions;
  readonly #observer: LaneObserver;
  #stopping: AbortController | null = null;
  #isInFlight = false;
  #attempts = 0;
  #resends = 0;
  #notBefore = 0;
  #epoch = 0;
  /** What needs a message that is not there is tried again then. */
  #waitingUntil = 0;
  #waits = 0;
  /** Messages that were deleted while something was here: they do not come again. */
  readonly #deleted = new Set<string>();
  /** When the epoch was seen to change. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | null = null;

  constructor(options: LaneOptions, observer: LaneObserver) {
    this.#options = options;
    this.#observer = observer;
  }

  run(): void {
    this.#stopping ??= new AbortController();
    this.#pump();
  }

  stop(): void {
    this.#stopping?.abort();
    this.#cancelTimer?.();
  }

  /** Nothing waits any longer. */
  wake(): void {
    this.#attempts = 0;
    this.#notBefore = 0;
    this.#pump();
  }

  /** Says what became known to the line. What left it by that is settled. */
  tell(learn: (line: OutboxLine) => readonly OutboxItem[]): void {
    const settled = learn(this.#line);
    if (this.#epoch !== 0 && this.#line.epoch > this.#epoch) {
      this.#renewedAt = this.#options.clock.now();
      this.#waits = 0;
    }
    this.#epoch = this.#line.epoch;
    if (this.#line.isEmpty) this.#deleted.clear();
    if (settled.length > 0) {
      this.#resends = 0;
      this.#observer.onSettled(settled);
    }
    if (!this.#line.isEmpty || this.items.getSnapshot().length > 0) this.items.set(this.#line.items());
    this.#pump();
  }

  sees(epoch: number): void {
    this.tell((line) => {
      if (line.sees(epoch)) this.#resends = 0;
      return [];
    });
  }

  /** Whatever waits for this message waits in vain. */
  deleted(messageId: string): void {
    if (this.#line.isEmpty) return;
    this.#deleted.add(messageId);
    this.#waitingUntil = 0;
    this.#pump();
  }

  refuse(id: string, refusal: Refusal): void {
    this.tell((line) => {
      const entry = line.refused(id, refusal);
      if (entry) this.#observer.onRefused(entry);
      return [];
    });
  }

  /** Sends what is due, or sets the timer for when something will be. */
  #pump(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (!this.#stopping || this.#stopping.signal.aborted || this.#isInFlight || this.#line.isEmpty) return;
    const inMs = this.#dueAt() - this.#options.clock.now();
    if (inMs > 0) {
      // Nothing is due ever while all that is left was refused.
      if (inMs < Number.POSITIVE_INFINITY) this.#cancelTimer = this.#options.clock.after(inMs, () => this.#pump());
      return;
    }
    if (!this.#line.hasUnconfirmed) this.#again();
    const attempt = this.#line.next();
    if (!attempt) return;
    this.#isInFlight = true;
    void this.#attempt(attempt, this.#stopping.signal);
  }

  /** What waited for its message, or else what was accepted and is not called persisted. */
  #again(): void {
    if (this.#line.hasWaiting && this.#waitingUntil <= this.#options.clock.now()) {
      this.#line.waitNoLonger();
      return;
    }
    this.#resends += 1;
    this.#line.sendAgain();
  }

  #dueAt(): number {
    if (this.#line.hasUnconfirmed) return this.#notBefore;
    const since = this.#line.oldestConfirmedAt() ?? Number.POSITIVE_INFINITY;
    const resendAt = since + Math.min(RESEND_AFTER_MS * 2 ** this.#resends, RESEND_AFTER_MAX_MS);
    const triedAgainAt = this.#line.hasWaiting ? this.#waitingUntil : Number.POSITIVE_INFINITY;
    return Math.max(this.#notBefore, Math.min(resendAt, triedAgainAt));
  }

  async #attempt({ entry, op }: Attempt, stopping: AbortSignal): Promise<void> {
    try {
      const perform = (signal: AbortSignal) => this.#options.perform(entry, op, signal);
      const answer = await timely(perform, this.#options.clock, stopping);
      // Of an older epoch than the one that is known: it confirms nothing, and the next one may be the same.
      if (isOld(answer, this.#line.epoch)) this.#backOff(0);
      else this.#attempts = 0;
      this.tell((line) => line.answered(entry.id, answer, this.#options.clock.now()));
    } catch (error) {
      if (!stopping.aborted) this.#failed(entry, failureOf(error));
    }
    this.#isInFlight = false;
    this.#pump();
  }

  #failed(entry: OutboxEntry, failure: FailureData | null): void {
    if (failure?.code === 'CONFLICT') {
      let isNews = false;
      this.tell((line) => {
        isNews = line.conflicted(failure.epoch);
        return [];
      });
      // A newer epoch explains it, and there is nothing to wait for.
      if (isNews) return;
    } else if (failure?.code === 'NOT_FOUND') {
      this.#notFound(entry);
      return;
    } else if (failure && isFinal(failure, entry)) {
      this.refuse(entry.id, { code: failure.code, reason: null });
      return;
    }
    this.#backOff(failure?.retryAfterMs ?? 0);
  }

  /** The channel is not there for this user, or a message that the operation needs. */
  #notFound(entry: OutboxEntry): void {
    const now = this.#options.clock.now();
    let wasAccepted = false;
    this.tell((line) => {
      const settled = line.acceptedBefore(entry.id);
      wasAccepted = settled.length > 0;
      return settled;
    });
    if (wasAccepted) return;
    const needed = messageNeeded(entry.operation);
    if (needed === null || this.#deleted.has(needed) || now - this.#renewedAt >= COMES_AGAIN_WITHIN_MS) {
      this.refuse(entry.id, { code: 'NOT_FOUND', reason: null });
      return;
    }
    this.#line.postpone(entry.id);
    this.#waitingUntil = now + retryDelayMs(this.#waits, this.#options.random);
    this.#waits += 1;
  }

  #backOff(leastMs: number): void {
    const jitter = retryDelayMs(this.#attempts, this.#options.random);
    this.#attempts += 1;
    this.#notBefore = this.#options.clock.now() + leastMs + jitter;
  }
}

function isOld({ epoch, position, level }: Standing, known: number): boolean {
  return position !== null && level === 'accepted' && acceptedIn(epoch, position) < Math.max(known, epoch);
}

function isFinal({ code, retryable }: FailureData, { operation }: OutboxEntry): boolean {
  // Words wait until their author may speak again; a change that comes an hour late is not what was meant.
  if (code === 'SILENCED') return operation.kind !== 'send';
  // Not being signed in says nothing about the operation: it waits for a connection that is.
  return !retryable && code !== 'UNAUTHENTICATED';
}
