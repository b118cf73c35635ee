import type { Estimate } from './statistics.ts';

/** What a row must reach: at most, or at least, this value. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** `open`: the interval has the target inside, or there were too few rounds to say. */
export type Verdict = { readonly is: 'met' } | { readonly is: 'open' } | { readonly is: 'missed'; readonly by: number };

/** Below this number of rounds nothing is called missed. */
const ROUNDS_MIN = 7;

/** Holds an estimate against its target: only an interval that lies wholly on one side of it says anything. */
export function judge(estimate: Estimate, target: Target, rounds: number): Verdict {
  if (Number.isNaN(estimate.low + estimate.median + estimate.high) || rounds < ROUNDS_MIN) return { is: 'open' };
  if ('atMost' in target) {
    if (estimate.high <= target.atMost) return { is: 'met' };
    return estimate.low > target.atMost
      ? { is: 'missed', by: (estimate.median - target.atMost) / target.atMost }
      : { is: 'open' };
  }
  if (estimate.low >= target.atLeast) return { is: 'met' };
  return estimate.high < target.atLeast
    ? { is: 'missed', by: (target.atLeast - estimate.median) / target.atLeast }
    : { is: 'open' };
}

/** `met`, `open`, `missed by 12 %`, or `missed by far` where something never came. */
export function verdictText(verdict: Verdict): string {
  if (verdict.is === 'missed' && !Number.isFinite(verdict.by)) return 'missed by far';
  return verdict.is === 'missed' ? `missed by ${Math.max(1, Math.round(verdict.by * 100))} %` : verdict.is;
}
