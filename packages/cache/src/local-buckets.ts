import type { Clock } from '@parley/runtime';
import type { Allowance, Rate, Span } from './allowances.ts';
import { rememberedMs, SpanCells } from './span-cells.ts';

/** Users that one thread keeps in mind; above it those are dropped who have all of their allowance again. */
const MAX_KEYS = 10_000;

interface Bucket {
  /** When nothing of it needs to be known any more; of a rate, when the allowance is full again. */
  idleAt: number;
  readonly cells: SpanCells | null;
}

/** Limits in memory, with this thread's share of each allowance. */
export class LocalBuckets {
  readonly #threads: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(threads: number, clock: Clock) {
    this.#threads = threads;
    this.#clock = clock;
  }

  /** Keys that are kept. */
  get size(): number {
    return this.#buckets.size;
  }

  /** 0: allowed and counted. Otherwise how long until the same calls are allowed. */
  take(key: string, allowance: Allowance, calls = 1): number {
    const now = this.#clock.now();
    return allowance.type === 'span'
      ? this.#count(key, allowance, { now, calls })
      : this.#spend(key, allowance, { now, calls });
  }

  /** Counts against a rate what was allowed before this thread had to count alone, in milliseconds of the allowance. */
  charge(key: string, ms: number): void {
    const now = this.#clock.now();
    const full = Math.max(this.#buckets.get(key)?.idleAt ?? 0, now) + ms * this.#threads;
    this.#keep(key, { idleAt: full, cells: null }, now);
  }

  #spend(key: string, { costMs, burst }: Rate, { now, calls }: { now: number; calls: number }): number {
    const cost = costMs * this.#threads;
    const full = Math.max(this.#buckets.get(key)?.idleAt ?? 0, now) + cost * calls;
    const waitMs = Math.ceil(full - this.#share(burst) * cost - now);
    if (waitMs > 0) return waitMs;
    this.#keep(key, { idleAt: full, cells: null }, now);
    return 0;
  }

  #count(key: string, span: Span, { now, calls }: { now: number; calls: number }): number {
    const cells = this.#buckets.get(key)?.cells ?? new SpanCells();
    const waitMs = cells.take({ ...span, calls: this.#share(span.calls) }, now, calls);
    if (waitMs === 0) this.#keep(key, { idleAt: now + rememberedMs(span.spanMs), cells }, now);
    return waitMs;
  }

  #share(calls: number): number {
    return Math.max(1, Math.floor(calls / this.#threads));
  }

  #keep(key: string, bucket: Bucket, now: number): void {
    if (this.#buckets.size >= MAX_KEYS && !this.#buckets.has(key)) this.#forget(now);
    this.#buckets.set(key, bucket);
  }

  #forget(now: number): void {
    for (const [key, { idleAt }] of this.#buckets) if (idleAt <= now) this.#buckets.delete(key);
    // A flood of different users: exactness goes before memory does.
    if (this.#buckets.size >= MAX_KEYS) this.#buckets.clear();
  }
}
