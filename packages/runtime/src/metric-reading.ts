import type { MetricSnapshot } from './metrics.ts';

type Labels = Readonly<Record<string, string>>;

/** How long something took, since the process began. Percentiles are upper bounds of buckets; null: nothing, or beyond the last one. */
export interface Timing {
  readonly count: number;
  readonly meanMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** Reads numbers off a snapshot for people who have no Prometheus. Names are whole ones; what does not exist is 0. */
export class MetricReading {
  readonly #values: ReadonlyMap<string, MetricSnapshot[number]['values']>;

  constructor(snapshot: MetricSnapshot) {
    this.#values = new Map(snapshot.map((metric) => [metric.name, metric.values]));
  }

  /** All series of a counter or gauge that have these labels, added up. */
  sum(name: string, where: Labels = {}): number {
    return this.#of(name, where).reduce((sum, { value }) => sum + value, 0);
  }

  /** The same, apart for each value of a label. */
  by(name: string, label: string, where: Labels = {}): Record<string, number> {
    const found: Record<string, number> = {};
    for (const { labels, value } of this.#of(name, where)) {
      const key = String(labels[label]);
      found[key] = (found[key] ?? 0) + value;
    }
    return found;
  }

  /** The series of a histogram of seconds that have these labels, as one. */
  timing(name: string, where: Labels = {}): Timing {
    const series = this.#of(name, where);
    const ofPart = (part: string) =>
      series.filter((one) => 'metricName' in one && one.metricName === `${name}_${part}`);
    const total = (part: string) => ofPart(part).reduce((sum, { value }) => sum + value, 0);
    const [count, seconds] = [total('count'), total('sum')];
    const below = new Map<number, number>();
    for (const { labels, value } of ofPart('bucket')) {
      const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
      below.set(bound, (below.get(bound) ?? 0) + value);
    }
    const bounds = [...below.keys()].toSorted((a, b) => a - b);
    const share = (q: number) => {
      const bound = bounds.find((one) => (below.get(one) ?? 0) >= q * count);
      return count === 0 || bound === undefined || bound === Number.POSITIVE_INFINITY ? null : bound * 1_000;
    };
    const meanMs = count === 0 ? null : (seconds * 1_000) / count;
    return { count, meanMs, p50Ms: share(0.5), p95Ms: share(0.95), p99Ms: share(0.99) };
  }

  #of(name: string, where: Labels) {
    const values = this.#values.get(name) ?? [];
    return values.filter(({ labels }) => Object.entries(where).every(([key, value]) => labels[key] === value));
  }
}
