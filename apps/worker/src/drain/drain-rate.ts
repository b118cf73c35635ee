interface Look {
  readonly waiting: number;
  /** Entries that were ever put into the log. */
  readonly added: number;
  readonly atMs: number;
}

/** What one look counts: about ten of them are remembered. */
const WEIGHT = 0.2;
const LONGEST_S = 3_600;

/** Learns from looks at the log how fast it is drained, by all workers together. */
export class DrainRate {
  #before: Look | undefined;
  /** Entries a second; null until something was drained. */
  #rate: number | null = null;

  see(look: Look): void {
    const before = this.#before;
    this.#before = look;
    // A log with less ever put into it is another one.
    if (!before || look.added < before.added || look.atMs <= before.atMs) return;
    const drained = look.added - before.added - (look.waiting - before.waiting);
    // With nothing to do a rate says nothing of what could be done.
    if (drained <= 0 && look.waiting === 0) return;
    const rate = (Math.max(0, drained) * 1_000) / (look.atMs - before.atMs);
    this.#rate = this.#rate === null ? rate : this.#rate + WEIGHT * (rate - this.#rate);
  }

  /** Seconds until so many entries are drained: when nobody drains, at least as long as the oldest has waited; never more than an hour. */
  secondsFor(waiting: number, oldestSeconds: number): number {
    if (waiting === 0) return 0;
    const seconds = this.#rate === null || this.#rate === 0 ? oldestSeconds : waiting / this.#rate;
    return Math.min(LONGEST_S, seconds);
  }
}
