import type { Clock } from '@parley/runtime';

/** How often something may be done: one call costs `costMs` of time, a full allowance holds `burst` calls. */
export interface Allowance {
  readonly costMs: number;
  readonly burst: number;
}

/** Users that one thread keeps in mind; above it the full allowances are dropped. */
const MAX_KEYS = 10_000;

/** GCRA in memory, with this thread's share of each allowance. */
export class LocalBuckets {
  readonly #threads: number;
  readonly #clock: Clock;
  /** When each key's allowance is full again. */
  readonly #fullAt = new Map<string, number>();

  constructor(threads: number, clock: Clock) {
    this.#threads = threads;
    this.#clock = clock;
  }

  /** Keys that are kept. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** 0: allowed and counted. Otherwise how long until the same call is allowed. */
  take(key: string, { costMs, burst }: Allowance): number {
    const now = this.#clock.now();
    const cost = costMs * this.#threads;
    const held = Math.max(1, Math.floor(burst / this.#threads));
    const full = Math.max(this.#fullAt.get(key) ?? 0, now) + cost;
    const waitMs = Math.ceil(full - held * cost - now);
    if (waitMs > 0) return waitMs;
    if (this.#fullAt.size >= MAX_KEYS) this.#forget(now);
    this.#fullAt.set(key, full);
    return 0;
  }

  #forget(now: number): void {
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    // A flood of different users: exactness goes before memory does.
    if (this.#fullAt.size >= MAX_KEYS) this.#fullAt.clear();
  }
}
