import { describe, expect, it } from 'vitest';
import { LocalBuckets } from '../src/local-buckets.ts';
import { RateLedger } from '../src/rate-ledger.ts';
import { rate, span } from './allowance.ts';

describe('local buckets', () => {
  const clock = { at: 1_000_000, now: () => clock.at, sleep: async () => undefined };

  it('refill as time goes by', () => {
    const buckets = new LocalBuckets(1, clock);
    const allowance = rate(100, 2);
    const take = () => buckets.take('ann', allowance);
    expect([take(), take(), take()]).toEqual([0, 0, 100]);
    clock.at += 60;
    expect(take()).toBe(40);
    clock.at += 40;
    expect([take(), take()]).toEqual([0, 100]);
    clock.at += 10_000;
    expect([take(), take(), take()]).toEqual([0, 0, 100]);
  });

  it('a flood of different users does not grow without bound', () => {
    const buckets = new LocalBuckets(1, clock);
    const allowance = rate(100, 1);
    for (let i = 0; i < 100_000; i++) expect(buckets.take(`user ${i}`, allowance)).toBe(0);
    expect(buckets.size).toBeLessThanOrEqual(10_000);
  });

  it('[LIMIT-104] spans in memory hold what they may, exactly as the store does: random calls', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    const buckets = new LocalBuckets(1, clock);
    const allowance = { type: 'span', spanMs: 6_000, calls: 7 } as const;
    const calls: number[] = [];
    for (let i = 0; i < 5_000; i++) {
      clock.at += Math.floor(random() ** 4 * 3_000);
      const waitMs = buckets.take('carl', allowance);
      if (waitMs > 0) {
        // Not a millisecond sooner.
        clock.at += waitMs - 1;
        expect(buckets.take('carl', allowance)).toBe(1);
        clock.at += 1;
        expect(buckets.take('carl', allowance)).toBe(0);
      }
      calls.push(clock.at);
      const held = calls.filter((at) => at > clock.at - 6_000);
      expect(held.length).toBeLessThanOrEqual(7);
      // Nobody waits for more than a cell longer than an exact count would make him.
      if (waitMs > 0) expect(calls.filter((at) => at > clock.at - 6_101).length).toBeGreaterThan(7);
    }
  });

  it('a flood of different users does not grow a ledger without bound', () => {
    const ledger = new RateLedger(clock);
    for (let i = 0; i < 30_000; i++) ledger.allows(`user ${i}`, { type: 'rate', costMs: 100, burst: 10 }, 1);
    expect(ledger.size).toBeLessThanOrEqual(10_000);
  });

  it('a flood of different users of a span does not grow without bound', () => {
    const buckets = new LocalBuckets(1, clock);
    for (let i = 0; i < 30_000; i++) expect(buckets.take(`user ${i}`, span(1_000, 1))).toBe(0);
    expect(buckets.size).toBeLessThanOrEqual(10_000);
  });
});
