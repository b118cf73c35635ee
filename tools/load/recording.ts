import { Latencies, type LatencyBuckets } from '../../load-tests/virtual-users/latencies.ts';
import type { Beat, Outcome } from '../../load-tests/virtual-users/pulse.ts';

/** What the generator wrote: a line a second, and what it came to. */
export interface Recording {
  readonly beats: readonly Beat[];
  /** Null when the generator did not come to its end. */
  readonly outcome: Outcome | null;
}

/** Reads the generator's file. A last line that is not whole yet is left out. */
export function parseRecording(text: string): Recording {
  const beats: Beat[] = [];
  let outcome: Outcome | null = null;
  for (const line of text.split('\n').slice(0, -1)) {
    const parsed = lineOf(line);
    if ('outcome' in parsed) outcome = parsed.outcome;
    else beats.push(parsed);
  }
  return { beats, outcome };
}

const lineOf = (line: string) => JSON.parse(line) as Beat | { outcome: Outcome };

/** Percentiles of some seconds together; null without a measurement. */
export function percentileOf(buckets: readonly LatencyBuckets[], percent: number): number | null {
  const all = new Latencies();
  for (const some of buckets) all.merge(some);
  return all.percentile(percent);
}

/** What a whole run comes to. */
export interface Totals {
  readonly seconds: number;
  readonly peakConnections: number;
  readonly sends: number;
  readonly calls: number;
  readonly deliveries: number;
  readonly events: number;
  readonly errors: number;
  readonly sendP95Ms: number | null;
  readonly deliveryP50Ms: number | null;
  readonly deliveryP95Ms: number | null;
  readonly deliveryP99Ms: number | null;
  readonly connectP95Ms: number | null;
  /** Of the seconds, the 95th percentile of how late the generator's loop was (p99 of each), and how busy. */
  readonly loopP95Ms: number;
  readonly busyP95: number;
}

/** Sums and percentiles over all seconds, none left out. */
export function totalsOf(beats: readonly Beat[]): Totals {
  const sum = (of: (beat: Beat) => number) => beats.reduce((all, beat) => all + of(beat), 0);
  const p = (of: (beat: Beat) => LatencyBuckets, percent: number) => percentileOf(beats.map(of), percent);
  return {
    seconds: beats.length,
    peakConnections: Math.max(0, ...beats.map(({ peakConnections }) => peakConnections)),
    sends: sum(({ sends }) => sends),
    calls: sum(({ calls }) => calls),
    deliveries: sum(({ deliveries }) => deliveries),
    events: sum(({ events }) => events),
    errors: sum(({ errors }) => errors),
    sendP95Ms: p(({ sendMs }) => sendMs, 95),
    deliveryP50Ms: p(({ deliveryMs }) => deliveryMs, 50),
    deliveryP95Ms: p(({ deliveryMs }) => deliveryMs, 95),
    deliveryP99Ms: p(({ deliveryMs }) => deliveryMs, 99),
    connectP95Ms: p(({ connectMs }) => connectMs, 95),
    loopP95Ms: highest(beats.map(({ loopP99Ms }) => loopP99Ms)),
    busyP95: highest(beats.map(({ busy }) => busy)),
  };
}

/** The value that 95 % of the seconds do not exceed: one stutter is no verdict. */
function highest(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
}
