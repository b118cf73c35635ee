import { type LoadFactors, loadFactors, NO_LOAD } from '@parley/domain';
import { type Clock, type Log, Loop, type Metrics, type Service } from '@parley/runtime';
import { busyShareOfThread } from './busy-share.ts';

interface LoadMeterOptions {
  /** How full the backlog is, of 1. */
  readonly backlog: { readonly fullest: number };
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock?: Clock;
  /** The share of time, since it was asked last, that the event loop was busy. */
  readonly loopShare?: () => number;
  readonly everyMs?: number;
}

/** What one second counts of the load that is acted upon: a single busy one (a start, a large page) shrinks nothing. */
const WEIGHT = 0.2;

/** Measures each second how busy this thread is, and what is left of the limits because of it. */
export class LoadMeter implements Service {
  readonly name = 'load meter';
  readonly #backlog: LoadMeterOptions['backlog'];
  readonly #loopShare: () => number;
  readonly #loop: Loop;
  #busy = 0;
  #factors = NO_LOAD;

  constructor({ backlog, metrics, loopShare = busyShareOfThread(), everyMs = 1_000, ...rest }: LoadMeterOptions) {
    this.#backlog = backlog;
    this.#loopShare = loopShare;
    this.#loop = new Loop({ ...rest, name: this.name, everyMs, work: () => this.#measure() });
    metrics.gauge('limit_load_factor', 'What load leaves of the limits, of 1, on the busiest thread', {
      labels: ['of'],
      aggregator: 'min',
      collect: (gauge) => {
        for (const [of, factor] of Object.entries(this.#factors)) gauge.set({ of }, factor);
      },
    });
  }

  get factors(): LoadFactors {
    return this.#factors;
  }

  run(): void {
    this.#loop.run();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #measure(): void {
    this.#busy += WEIGHT * (this.#loopShare() - this.#busy);
    this.#factors = loadFactors({ loop: this.#busy, backlog: this.#backlog.fullest });
  }
}
