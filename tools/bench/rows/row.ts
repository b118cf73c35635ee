import type { Crowd } from '../crowd.ts';
import type { BenchOptions, RowId } from '../options.ts';
import type { Curve, Line } from '../report.ts';
import { figure } from '../report.ts';
import { estimate, gainOf, median, type Pair, ratioOf, spread } from '../statistics.ts';
import { judge, type Target } from '../verdict.ts';

/** What a row works with. */
export interface Bench {
  readonly options: BenchOptions;
  readonly crowd: Crowd;
  /** Takes what the plot is drawn of. */
  plot(curves: readonly Curve[]): void;
  /** Tells whoever waits what is going on. */
  say(text: string): void;
}

/** Measures some rows together, because they share their servers. */
export type Measure = (bench: Bench, wanted: readonly RowId[]) => Promise<Line[]>;

interface Common {
  readonly id: RowId;
  readonly what: string;
  /** Of the figures of either side. */
  readonly unit: string;
  readonly target: Target | null;
  readonly notes?: readonly string[];
}

/** The values of one side as a column has them. */
export function side(values: readonly number[], unit: string): string {
  const middle = `${figure(median(values))} ${unit}`.trim();
  const around = Math.round((spread(values) * 100) / 2);
  return Number.isFinite(around) ? `${middle} ±${around} %` : middle;
}

/** A line whose figure is a ratio of two sides: ours / theirs, or, where cheaper is asked for, theirs / ours. */
export function ratioLine(pairs: readonly Pair[], { id, what, unit, target, notes = [] }: Common): Line {
  const measured = target !== null && 'atLeast' in target ? gainOf(pairs) : ratioOf(pairs);
  const ours = side(
    pairs.map((pair) => pair.ours),
    unit,
  );
  const peer = side(
    pairs.map((pair) => pair.theirs),
    unit,
  );
  const rounds = pairs.length;
  const verdict = target && judge(measured, target, rounds);
  return { id, what, ours, peer, measured, unit: 'x', target, rounds, verdict, notes };
}

/** A line whose figure stands for itself. */
export function valueLine(
  values: readonly number[],
  { id, what, unit, target, notes = [], peer = null }: Common & { readonly peer?: string | null },
): Line {
  const measured = estimate(values);
  const rounds = values.length;
  const verdict = target && judge(measured, target, rounds);
  return { id, what, ours: side(values, unit), peer, measured, unit, target, rounds, verdict, notes };
}
