import type { BusyWindow } from './busy-window.ts';

/** A channel that gets less in a window is not worth the wait: nothing would go out together. */
const WORTH_IT = 2;
const RATE_OVER_MS = 50;
/** Two wakes may be at the same time by the clock. */
const CLOCK_STEP_MS = 0.01;
/** How long what nobody waits for may wait for something to travel with. */
const COMPANY_MS = 100;

/** Who listens to a channel. */
export interface Listener {
  wake(): void;
}

/**
 * Wakes the listeners of one channel: once for all that comes in one turn of the event loop, which costs no time; while the thread is
 * busy and so is the channel, once in a window of some milliseconds.
 */
export class WakeUp {
  readonly listeners = new Set<Listener>();
  readonly #window: BusyWindow;
  #rings = 0;
  /** Rings a millisecond, of late. */
  #rate = 0;
  #wokenAt = 0;
  #hurried = 0;
  #soon: NodeJS.Timeout | null = null;
  readonly #wake = () => {
    const now = performance.now();
    const passedMs = Math.max(now - this.#wokenAt, CLOCK_STEP_MS);
    this.#rate += (this.#rings / passedMs - this.#rate) * Math.min(1, passedMs / RATE_OVER_MS);
    this.#rings = 0;
    this.#wokenAt = now;
    if (this.#soon) clearTimeout(this.#soon);
    this.#soon = null;
    for (const listener of this.listeners) listener.wake();
  };

  constructor(window: BusyWindow) {
    this.#window = window;
  }

  ring(): void {
    if (this.#rings++ > 0) return;
    const windowMs = this.#window.ms;
    if (this.#rate * windowMs < WORTH_IT) process.nextTick(this.#wake);
    else setTimeout(this.#wake, windowMs);
  }

  /** For what is no news to a reader: with the next ring, or after 100 ms, since a write of its own costs as much as a message does. */
  ringSoon(): void {
    if (!this.#window.enabled || this.#hurried > 0) this.ring();
    else if (this.#rings === 0) this.#soon ??= setTimeout(this.#wake, COMPANY_MS);
  }

  /** Until the result is called, nothing waits for company: somebody waits for it. */
  hurry(): () => void {
    this.#hurried++;
    return () => {
      this.#hurried--;
    };
  }
}
