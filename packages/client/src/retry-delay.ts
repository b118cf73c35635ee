const CAP_MS = 30_000;
const FIRST_MS = 500;

/** Where chance comes from: evenly spread over [0, 1). */
export type Random = () => number;

/**
 * How long to wait before the given attempt (0 is the first repetition): anything between nothing and `min(30 s, 500 ms · 2^attempt)`.
 * The whole range is random, so that the clients a crashed server lost do not come back as one wave.
 */
export function retryDelayMs(attempt: number, random: Random): number {
  // 2^16 · 500 ms is far above the cap; a larger exponent only overflows.
  return random() * Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
}
