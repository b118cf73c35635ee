import { describe, expect, it } from 'vitest';
import { DrainRate } from '../src/drain/drain-rate.ts';

describe('[MET-9] how long the backlog will take', () => {
  it('is nothing without a backlog, whatever the rate', () => {
    expect(new DrainRate().secondsFor(0, 0)).toBe(0);
  });

  it('is the backlog by the rate at which it was drained, whoever drained it', () => {
    const rate = new DrainRate();
    // 1,000 come and 800 go in each second.
    for (let s = 0; s <= 30; s++) rate.see({ added: 1_000 * s, waiting: 200 * s, atMs: 1_000 * s });
    expect(rate.secondsFor(6_000, 9)).toBeCloseTo(7.5, 1);
  });

  it('a rate is not forgotten while nothing is to be done', () => {
    const rate = new DrainRate();
    rate.see({ added: 0, waiting: 0, atMs: 0 });
    rate.see({ added: 500, waiting: 0, atMs: 1_000 });
    for (let s = 2; s < 600; s++) rate.see({ added: 500, waiting: 0, atMs: 1_000 * s });
    expect(rate.secondsFor(1_000, 0)).toBeCloseTo(2, 5);
  });

  it('grows when nobody drains, up to an hour; before anything was ever drained it is the age of the oldest', () => {
    expect(new DrainRate().secondsFor(10, 42)).toBe(42);
    const rate = new DrainRate();
    rate.see({ added: 0, waiting: 0, atMs: 0 });
    rate.see({ added: 100, waiting: 0, atMs: 1_000 });
    const seen: number[] = [];
    for (let s = 2; s < 120; s++) {
      rate.see({ added: 100 + s, waiting: s, atMs: 1_000 * s });
      seen.push(rate.secondsFor(s, s));
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(3_600);
  });

  it('a log that begins anew is no drain', () => {
    const rate = new DrainRate();
    rate.see({ added: 0, waiting: 0, atMs: 0 });
    rate.see({ added: 100, waiting: 0, atMs: 1_000 });
    rate.see({ added: 3, waiting: 3, atMs: 2_000 });
    expect(rate.secondsFor(100, 0)).toBeCloseTo(1, 5);
  });
});
