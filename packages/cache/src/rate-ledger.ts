import type { Clock } from '@parley/runtime';
import type { Rate } from './allowances.ts';

/** Of a burst, what a thread allows without asking. The rest is where threads could allow the same thing twice. */
const OWN_SHARE = 0.5;
/** Users that one thread keeps in mind; above it those are dropped who have all of their allowance again. */
const MAX_KEYS = 10_000;

/**
 * How far users have used up their rates, as far as one thread knows: what it allowed itself, and what the store said of others. Most
 * users are far from their limit, and need nobody asked.
 */
export class RateLedger {
  readonly #clock: Clock;
  /** When each allowance is full again. */
  readonly #fullAt = new Map<string, number>();
  /** What was allowed here and the store does not know yet, in milliseconds of the allowance. */
  #untold = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keys that are kept. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Whether this thread may allow the calls by itself; then they are counted, and are to be told. */
  allows(key: string, rate: Rate, calls: number): boolean {
    const costMs = rate.costMs * calls;
    const { fullAt, now } = this.#after(key, costMs);
    if (fullAt - now > rate.costMs * rate.burst * OWN_SHARE) return false;
    this.#keep(key, fullAt, now);
    this.#untold.set(key, (this.#untold.get(key) ?? 0) + costMs);
    return true;
  }

  /** The store has allowed the calls. */
  allowed(key: string, rate: Rate, calls: number): void {
    const { fullAt, now } = this.#after(key, rate.costMs * calls);
    this.#keep(key, fullAt, now);
  }

  /** The store was told, and knows: the allowance is full again in so many milliseconds. */
  learn(key: string, fullInMs: number): void {
    const now = this.#clock.now();
    this.#keep(key, now + fullInMs + (this.#untold.get(key) ?? 0), now);
  }

  owes(key: string): boolean {
    return this.#untold.has(key);
  }

  /** What is to be told, by key: from here on it counts as told. */
  settle(): ReadonlyMap<string, number> {
    const untold = this.#untold;
    this.#untold = new Map();
    return untold;
  }

  #after(key: string, costMs: number): { fullAt: number; now: number } {
    const now = this.#clock.now();
    return { fullAt: Math.max(this.#fullAt.get(key) ?? 0, now) + costMs, now };
  }

  #keep(key: string, fullAt: number, now: number): void {
    if (this.#fullAt.size >= MAX_KEYS && !this.#fullAt.has(key)) this.#forget(now);
    this.#fullAt.set(key, fullAt);
  }

  #forget(now: number): void {
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    // A flood of different users: what is not known is asked for sooner or later.
    if (this.#fullAt.size >= MAX_KEYS) this.#fullAt.clear();
  }
}
