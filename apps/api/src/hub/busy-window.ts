import { performance } from 'node:perf_hooks';
import { busyShareOfThread } from '../busy-share.ts';

const WINDOW_MAX_MS = 10;
const MEASURE_EVERY_MS = 50;
const WIDEN_ABOVE = 0.25;
const NARROW_BELOW = 0.12;
const WIDEN_BY_MS = 2;
const NARROW_BY_MS = 1;

interface BusyWindowOptions {
  /** False: nothing ever waits. */
  readonly enabled: boolean;
  /** The share of time, since it was asked last, in which this thread was busy. */
  readonly busyShare?: () => number;
}

/**
 * For how long what is published to a busy channel may wait for more of the same: not at all while the thread has time, up to 10 ms as
 * it has less. A write to a socket costs the same for one event as for ten.
 */
export class BusyWindow {
  readonly enabled: boolean;
  readonly #busyShare: () => number;
  #ms = 0;
  #measuredAt = 0;

  constructor({ enabled, busyShare = busyShareOfThread() }: BusyWindowOptions) {
    this.enabled = enabled;
    this.#busyShare = busyShare;
  }

  get ms(): number {
    if (this.enabled && performance.now() - this.#measuredAt >= MEASURE_EVERY_MS) this.#measure();
    return this.#ms;
  }

  #measure(): void {
    const share = this.#busyShare();
    this.#measuredAt = performance.now();
    if (share > WIDEN_ABOVE) this.#ms = Math.min(WINDOW_MAX_MS, this.#ms + WIDEN_BY_MS);
    else if (share < NARROW_BELOW) this.#ms = Math.max(0, this.#ms - NARROW_BY_MS);
  }
}
