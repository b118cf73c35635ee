/** Zipf's law: the r-th of `count` has a share of 1/r^exponent. All shares together are 1. */
export function zipfShares(count: number, exponent: number): number[] {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + 1) ** exponent);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The index that `at` (0 ≤ at < 1) falls on, when each index takes as much room as its weight. Without any weight it is 0. */
export function pickWeighted(weights: readonly number[], at: number): number {
  let left = at * weights.reduce((all, weight) => all + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return Math.max(0, weights.length - 1);
}

/** A pause until the next of events that come by chance `perSecond` times a second: most are short, a few long. Milliseconds. */
export function nextPauseMs(perSecond: number, at: number): number {
  return (-Math.log(1 - at) / perSecond) * 1_000;
}
