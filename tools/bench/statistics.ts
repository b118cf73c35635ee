/** A middle value with the range in which it lies with 95 % confidence. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2_000;
const TAIL = 0.025;

/** The value below which the share `q` (0..1) of the values lies, interpolated; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  // Equal ones may be endless, and those have no difference.
  return below === above ? below : below + (above - below) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** How far the values lie apart: (largest - smallest) / median. */
export function spread(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : (Math.max(...values) - Math.min(...values)) / median(values);
}

/** The median of the values with its 95 % interval by bootstrap. The same values always give the same interval. */
export function estimate(values: readonly number[]): Estimate {
  const next = seeded(1);
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(next() * values.length)] ?? Number.NaN)),
  );
  return { median: median(values), low: quantile(medians, TAIL), high: quantile(medians, 1 - TAIL) };
}

/** One round of an interleaved run: both sides measured within seconds of each other. */
export interface Pair {
  readonly ours: number;
  readonly theirs: number;
}

/** Of ours / theirs in each pair: what slows the whole machine down slows both sides of a pair, and so leaves the ratio. */
export function ratioOf(pairs: readonly Pair[]): Estimate {
  return estimate(pairs.map(({ ours, theirs }) => ours / theirs));
}

/** Of theirs / ours in each pair: how many times cheaper ours is. */
export function gainOf(pairs: readonly Pair[]): Estimate {
  return estimate(pairs.map(({ ours, theirs }) => theirs / ours));
}

/** How much a thing grows by each step, between all readings that lie far apart: single ones move by what the collector has not yet given back. */
export function slopes(readings: readonly number[], step: number): number[] {
  const far = Math.ceil(readings.length / 2);
  return readings.flatMap((from, i) => readings.slice(i + far).map((to, j) => (to - from) / ((far + j) * step)));
}

/** mulberry32: a bench that is run twice on the same figures says the same. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
