import type { Level } from './levels.ts';
import type { Verdict } from './promises.ts';
import type { Phase } from './scenario.ts';

/** The levels of a soak: before anybody came, while everybody was there, and when all had left. */
export interface Soak {
  readonly before: Level;
  readonly during: readonly Level[];
  readonly after: Level;
}

type Held = Exclude<keyof Level, 'second'>;

interface Watched {
  readonly of: Held;
  readonly what: string;
  readonly unit: string;
  /** It rises by itself for so long: what the log store answered is remembered for an hour. */
  readonly settlesS: number;
}

const HOUR_S = 3_600;
const SLOPE_MAX = 0.01;
/** In less time the noise of a level is more than its slope. */
const JUDGED_FROM_S = 2 * HOUR_S;
/** The lowest of each part is compared: a level that a collection brings down is seen after one. */
const PARTS = 20;

const WATCHED: readonly Watched[] = [
  { of: 'heapMiB', what: 'heap of the api after collections', unit: ' MiB', settlesS: 900 },
  { of: 'files', what: 'open files', unit: '', settlesS: 900 },
  { of: 'listeners', what: 'listeners', unit: '', settlesS: 900 },
  { of: 'keys', what: 'keys in Redis', unit: '', settlesS: 1.5 * HOUR_S },
  { of: 'sqlConnections', what: 'connections to Postgres', unit: '', settlesS: 900 },
];

/** Whether what is held stays the same while the same number of users comes and goes, and is let go of when all have left. */
export function judgeFlatness({ before, during, after }: Soak, phases: readonly Phase[]): Verdict[] {
  const [from, to] = steadyOf(phases);
  const rows = WATCHED.map((watched) => {
    const steady = during.filter(({ second }) => second >= from + watched.settlesS && second < to);
    return slopeVerdict(watched, steady.length > 1 ? steady : during.filter(({ second }) => second < to));
  });
  return [...rows, letGo('connections', before, after), letGo('listeners', before, after)];
}

/** From the last arrival to the first who leaves for good. */
function steadyOf(phases: readonly Phase[]): [from: number, to: number] {
  const seconds = phases.map(({ name, duration, pause }) => ({ name, seconds: duration ?? pause ?? 0 }));
  const sum = (parts: typeof seconds) => parts.reduce((all, part) => all + part.seconds, 0);
  const whole = sum(seconds);
  return [seconds[0]?.seconds ?? 0, whole - sum(seconds.filter(({ name }) => name === 'cool-down'))];
}

function slopeVerdict({ of, what, unit }: Watched, levels: readonly Level[]): Verdict {
  const promise = `${what}: less than ${SLOPE_MAX * 100} % more in an hour`;
  const points = levels.flatMap(({ second, [of]: value }) => (value === null ? [] : [{ second, value }]));
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 2) return { promise, measured: 'not known', state: 'unknown' };
  const lasted = last.second - first.second;
  const slope = slopeOf(lowestOfParts(points));
  const range = `${text(first.value)} to ${text(last.value)}${unit}`;
  if (lasted < JUDGED_FROM_S) return { promise, measured: `${range} in ${Math.round(lasted)} s`, state: 'noted' };
  const measured = `${range}, ${(slope * 100).toFixed(2)} % an hour`;
  return { promise, measured, state: slope < SLOPE_MAX ? 'kept' : 'broken' };
}

interface Point {
  readonly second: number;
  readonly value: number;
}

function lowestOfParts(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / PARTS);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) =>
    points.slice(i * size, (i + 1) * size).reduce((low, point) => (point.value < low.value ? point : low)),
  );
}

/** Growth an hour by least squares, as a share of the mean. */
export function slopeOf(points: readonly Point[]): number {
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [second, value] = [mean((point) => point.second), mean((point) => point.value)];
  const rise = mean((point) => (point.second - second) * (point.value - value));
  const spread = mean((point) => (point.second - second) ** 2);
  return spread === 0 || value === 0 ? 0 : ((rise / spread) * HOUR_S) / value;
}

function letGo(of: 'connections' | 'listeners', before: Level, after: Level): Verdict {
  const promise = `${of} when all have left: as before`;
  const [first, last] = [before[of], after[of]];
  if (first === null || last === null) return { promise, measured: 'not known: no /metrics', state: 'unknown' };
  return { promise, measured: `${last}, before ${first}`, state: last <= first ? 'kept' : 'broken' };
}

const text = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(1));
