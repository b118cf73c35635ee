import { type MetricSnapshot, mergeSnapshots } from '../metrics.ts';
import type { Thread } from './thread.ts';

const FOLD_FROM = 8;

/** The metrics of all threads as one, past threads included: no counter goes back when a thread dies or answers too late. */
export class Tally {
  /** Counters and histograms of the threads that are gone. */
  readonly #gone: MetricSnapshot[] = [];
  #folding = false;
  #silent = 0;

  /** Threads that did not answer last time. */
  get silent(): number {
    return this.#silent;
  }

  /** Adds what the thread last told. Its gauges go with it. */
  bury(thread: Thread): void {
    this.#gone.push(
      thread.lastMetrics.filter((metric) => {
        const type = String(metric.type);
        return type === 'counter' || type === 'histogram';
      }),
    );
  }

  /** What there is of each, to be merged. A thread that does not answer in time stands with its last numbers. */
  async parts(threads: () => readonly Thread[], withinMs: number): Promise<MetricSnapshot[]> {
    const heard = await Promise.all(threads().map((thread) => refresh(thread, withinMs)));
    this.#silent = heard.filter((one) => !one).length;
    await this.#fold();
    return [...this.#gone, ...threads().map((thread) => thread.lastMetrics)];
  }

  /** Many dead threads take no more room than one. */
  async #fold(): Promise<void> {
    const count = this.#gone.length;
    if (count < FOLD_FROM || this.#folding) return;
    this.#folding = true;
    try {
      const one = await mergeSnapshots(this.#gone.slice());
      this.#gone.splice(0, count, one);
    } finally {
      this.#folding = false;
    }
  }
}

async function refresh(thread: Thread, withinMs: number): Promise<boolean> {
  const answer = await thread.ask({ ask: 'metrics' }, withinMs).catch(() => undefined);
  if (!Array.isArray(answer)) return false;
  if (thread.state !== 'ended') thread.lastMetrics = answer;
  return true;
}
