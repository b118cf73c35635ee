// Buckets that grow by 2 %: a percentile is never more than 2 % too high, and never too low.
const GROWTH = Math.log(1.02);
const LEAST_MS = 0.05;

/** A histogram as it is written down: bucket, count, bucket, count … */
export type LatencyBuckets = readonly number[];

/** Times in milliseconds, kept as counts of buckets. Percentiles round up. */
export class Latencies {
  readonly #counts = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    this.#add(ms <= LEAST_MS ? 0 : Math.ceil(Math.log(ms / LEAST_MS) / GROWTH), 1);
  }

  merge(buckets: LatencyBuckets): void {
    for (let i = 0; i + 1 < buckets.length; i += 2) this.#add(buckets[i] ?? 0, buckets[i + 1] ?? 0);
  }

  /** The time that `percent` of all are not above, in milliseconds; null without any. */
  percentile(percent: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.max(1, Math.ceil((this.#count * percent) / 100));
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return LEAST_MS * Math.exp(bucket * GROWTH);
    }
    return null;
  }

  /** What was recorded since the last time, and begins anew. */
  take(): LatencyBuckets {
    const buckets = [...this.#counts].flat();
    this.#counts.clear();
    this.#count = 0;
    return buckets;
  }

  #add(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    this.#count += count;
  }
}
