import { describe, expect, it } from 'vitest';
import { loadFactors } from '../src/index.ts';

const steps = Array.from({ length: 61 }, (_, i) => i / 40);
const everyLoad = steps.flatMap((loop) => steps.map((backlog) => ({ loop, backlog })));

describe('load factors', () => {
  it('[LIMIT-110] are whole without load, never above the whole, never below a fifth', () => {
    expect(loadFactors({ loop: 0.7, backlog: 0.5 })).toEqual({ sends: 1, calls: 1 });
    for (const load of everyLoad) {
      for (const factor of Object.values(loadFactors(load))) {
        expect(factor).toBeGreaterThanOrEqual(0.2);
        expect(factor).toBeLessThanOrEqual(1);
      }
    }
    expect(loadFactors({ loop: 1, backlog: 0 }).calls).toBeCloseTo(0.25);
    expect(loadFactors({ loop: 0, backlog: 1 }).calls).toBeCloseTo(0.2);
  });

  it('[LIMIT-110] never rise with more load', () => {
    for (const { loop, backlog } of everyLoad) {
      const here = loadFactors({ loop, backlog });
      for (const more of [
        loadFactors({ loop: loop + 0.02, backlog }),
        loadFactors({ loop, backlog: backlog + 0.02 }),
      ]) {
        expect(more.sends).toBeLessThanOrEqual(here.sends);
        expect(more.calls).toBeLessThanOrEqual(here.calls);
      }
    }
  });

  it('[LIMIT-111] what users send shrinks last, and by the backlog alone', () => {
    for (const load of everyLoad) {
      const { sends, calls } = loadFactors(load);
      expect(sends).toBeGreaterThanOrEqual(calls);
      expect(sends).toBe(loadFactors({ ...load, loop: 0 }).sends);
    }
    expect(loadFactors({ loop: 1, backlog: 0.7 }).sends).toBe(1);
    expect(loadFactors({ loop: 0, backlog: 0.95 }).sends).toBeLessThan(0.3);
  });

  it('what could not be measured is no load', () => {
    expect(loadFactors({ loop: Number.NaN, backlog: Number.NaN })).toEqual({ sends: 1, calls: 1 });
  });
});
