import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryDelayMs } from '../src/retry-delay.ts';

test('[CLIENT-1] a retry waits between nothing and min(30 s, 500 ms · 2^n)', () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, chance) => {
      const delay = retryDelayMs(attempt, () => chance);
      return delay >= 0 && delay <= Math.min(30_000, 500 * 2 ** attempt);
    }),
  );
});

test('[CLIENT-1] the whole range is used: clients that were lost together do not come back together', () => {
  expect(retryDelayMs(3, () => 0)).toBe(0);
  expect(retryDelayMs(3, () => 0.999)).toBeGreaterThan(3_900);
  expect(retryDelayMs(50, () => 0.999)).toBeGreaterThan(29_900);
});
