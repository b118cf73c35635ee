import type { Estimate } from './statistics.ts';
import { type Target, type Verdict, verdictText } from './verdict.ts';

/** One line of the table. */
export interface Line {
  /** `B1` … `B12` */
  readonly id: string;
  /** What was measured, and at which size. */
  readonly what: string;
  /** Median and spread on either side, with their unit; the peer's is missing where the target is an absolute one. */
  readonly ours: string;
  readonly peer: string | null;
  /** What is held against the target: a ratio, or a value in `unit`. */
  readonly measured: Estimate;
  /** `x`, `ms`, `KiB`, … */
  readonly unit: string;
  readonly target: Target | null;
  readonly rounds: number;
  readonly verdict: Verdict | null;
  readonly notes: readonly string[];
}

/** Latency by load, for the plot. */
export interface Curve {
  readonly name: string;
  readonly points: readonly {
    /** Messages sent a second, each to ten. */
    readonly perSecond: number;
    /** Send to delivery, ms. */
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    /** Send to answer, ms. */
    readonly ackP95: number;
    /** Whether everything came within a second of the last send. */
    readonly survived: boolean;
  }[];
}

/** What a run of the bench says of itself. */
export interface Report {
  readonly at: string;
  readonly commit: string;
  readonly quick: boolean;
  readonly machine: string;
  readonly versions: string;
  readonly tookMs: number;
  readonly lines: readonly Line[];
  readonly curves: readonly Curve[];
  readonly failures: readonly { readonly id: string; readonly reason: string }[];
}

/** A report with the rows of an older one that it has not measured; those say when they were. */
export function together(report: Report, older: Report): Report {
  const measured = new Set([...report.lines, ...report.failures].map(({ id }) => id));
  const isElse = ({ id }: { readonly id: string }) => !measured.has(id);
  const when = `measured ${older.at.slice(0, 16).replace('T', ' ')} UTC, commit ${older.commit}`;
  const dated = older.lines.filter(isElse).map((line) => {
    const isDated = line.notes.some((note) => note.startsWith('measured '));
    return isDated ? line : { ...line, notes: [...line.notes, when] };
  });
  const order = ({ id }: { readonly id: string }) => (id.startsWith('B') ? 0 : 1_000) + Number(id.slice(1));
  return {
    ...report,
    lines: [...report.lines, ...dated].sort((a, b) => order(a) - order(b)),
    curves: report.curves.length > 0 ? report.curves : older.curves,
    failures: [...report.failures, ...older.failures.filter(isElse)],
  };
}

/** Three significant digits, without an exponent. */
export function figure(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '∞';
  if (!Number.isFinite(value)) return '–';
  const digits = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(3, Math.max(0, 2 - digits)));
}

const unitText = (unit: string) => (unit === 'x' ? 'x' : unit === '' ? '' : ` ${unit}`);

function targetText(target: Target | null, unit: string): string {
  if (target === null) return '';
  return 'atMost' in target
    ? `≤ ${figure(target.atMost)}${unitText(unit)}`
    : `≥ ${figure(target.atLeast)}${unitText(unit)}`;
}

/** The table as markdown, with what has to be said below it. */
export function markdown(report: Report): string {
  const head = ['', 'what', 'ours', 'peer', 'measured (95 %)', 'target', 'verdict'];
  const rows = report.lines.map(({ id, what, ours, peer, measured, unit, target, verdict }) => [
    id,
    what,
    ours,
    peer ?? '',
    `${figure(measured.median)}${unitText(unit)} (${figure(measured.low)}–${figure(measured.high)})`,
    targetText(target, unit),
    verdict === null ? '' : verdictText(verdict),
  ]);
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const notes = report.lines.flatMap(({ id, what, notes }) => notes.map((note) => `* ${id}, ${what}: ${note}`));
  return [
    `${report.at.slice(0, 16).replace('T', ' ')} UTC, commit ${report.commit}${report.quick ? ', quick' : ''}. ${report.machine}. ${report.versions}.`,
    'CPU is user + system time of the measured processes, idle time of the same processes taken off. Medians, spread (largest − smallest) / median.',
    '',
    ...table,
    '',
    ...new Set(notes),
    ...report.failures.map(({ id, reason }) => `* ${id} could not be measured: ${reason}`),
    '',
  ].join('\n');
}

/** One line: how many rows are met, open, missed, failed; the ids of those that are not met. */
export function summary(report: Report): string {
  const named = (is: Verdict['is']) => report.lines.filter(({ verdict }) => verdict?.is === is);
  const list = (title: string, ids: readonly string[]) =>
    `${ids.length} ${title}${ids.length > 0 ? ` (${ids.join(', ')})` : ''}`;
  const idsOf = (lines: readonly Line[]) => [...new Set(lines.map(({ id }) => id))];
  return [
    `bench: ${named('met').length} of ${report.lines.filter(({ verdict }) => verdict !== null).length} targets met`,
    list('missed', idsOf(named('missed'))),
    list('open', idsOf(named('open'))),
    list(
      'failed',
      report.failures.map(({ id }) => id),
    ),
  ].join(', ');
}

/** 1 when a target is missed or a row could not be measured. */
export function exitCodeOf(report: Report): number {
  return report.failures.length > 0 || report.lines.some(({ verdict }) => verdict?.is === 'missed') ? 1 : 0;
}
