/** How long to wait after the n-th failure in a row (from 1): doubling up to `maxMs`, then spread over the upper half so that nobody moves in step. */
export function backoffMs(failure: number, options: { firstMs: number; maxMs: number; random?: () => number }): number {
  const { firstMs, maxMs, random = Math.random } = options;
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failure - 1, 30));
  return Math.round(full / 2 + (full / 2) * random());
}
