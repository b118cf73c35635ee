import { AggregatorRegistry } from 'prom-client';
import { type MetricSnapshot, mergeMetrics } from '../metrics.ts';
import type { Thread } from './thread.ts';

const FOLD_FROM = 8;

/** The metrics of all threads as one, past threads included: no counter goes back when a thread dies or answers too late. */
export class Tally {
  /** Counters and histograms of the threads that are gone. */
  readonly #gone: MetricSnapshot[] = [];
  #folding = false;

  /** Adds what the thread last told. Its gauges go with it. */
  bury(thread: Thread): void {
    this.#gone.push(
      thread.lastMetrics.filter((metric) => {
        const type = String(metric.type);
        return type === 'counter' || type === 'histogram';
      }),
    );
  }

  /** One text. A thread that does not answer in time stands with its last numbers. */
  async text(threads: () => readonly Thread[], options: { own: MetricSnapshot; withinMs: number }): Promise<string> {
    await Promise.all(threads().map((thread) => refresh(thread, options.withinMs)));
    await this.#fold();
    return mergeMetrics([options.own, ...this.#gone, ...threads().map((thread) => thread.lastMetrics)]);
  }

  /** Many dead threads take no more room than one. */
  async #fold(): Promise<void> {
    const count = this.#gone.length;
    if (count < FOLD_FROM || this.#folding) return;
    this.#folding = true;
    try {
      const one = await AggregatorRegistry.aggregate(this.#gone.slice()).getMetricsAsJSON();
      this.#gone.splice(0, count, one);
    } finally {
      this.#folding = false;
    }
  }
}

async function refresh(thread: Thread, withinMs: number): Promise<void> {
  const answer = await thread.ask({ ask: 'metrics' }, withinMs).catch(() => undefined);
  if (Array.isArray(answer) && thread.state !== 'ended') thread.lastMetrics = answer;
}
