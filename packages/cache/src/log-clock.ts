import { type Clock, type Log, Loop, type Service } from '@parley/runtime';
import type { LogStore } from './log-store.ts';

interface LogClockOptions {
  readonly store: Pick<LogStore, 'read' | 'redis'>;
  readonly log: Log;
  readonly clock?: Clock;
  readonly everyMs?: number;
  /** This machine's own time, epoch milliseconds. */
  readonly here?: () => number;
}

/** Answers that are compared; the one that came back soonest is nearest to the truth, and machines drift apart slowly. */
const SAMPLES = 6;

interface Sample {
  readonly offsetMs: number;
  readonly tripMs: number;
}

/**
 * The time by the log store's clock, which stamps all that is accepted, as this thread sees it: right within half of a round trip. Until
 * the store has answered it is this machine's own.
 */
export class LogClock implements Service {
  readonly name = 'log clock';
  readonly #store: LogClockOptions['store'];
  readonly #here: () => number;
  readonly #loop: Loop;
  #samples: Sample[] = [];
  #offsetMs = 0;

  constructor({
    store,
    everyMs = 10_000,
    here = () => performance.timeOrigin + performance.now(),
    ...rest
  }: LogClockOptions) {
    this.#store = store;
    this.#here = here;
    this.#loop = new Loop({ ...rest, name: this.name, everyMs, work: () => this.#ask() });
  }

  /** How far the log store's clock is ahead of this machine's. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  now(): number {
    return this.#here() + this.#offsetMs;
  }

  /** Seconds since a stamp of the log store; never less than 0, for stamps are cut to the millisecond and offsets are not exact. */
  secondsSince(at: number): number {
    return Math.max(0, this.now() - at) / 1_000;
  }

  run(): void {
    this.#loop.run();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #ask(): Promise<void> {
    if (this.#store.redis.status !== 'ready') return;
    const before = this.#here();
    const [seconds, microseconds] = await this.#store.read((redis) => redis.time());
    const after = this.#here();
    const there = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    this.#samples = [
      ...this.#samples.slice(1 - SAMPLES),
      { offsetMs: there - (before + after) / 2, tripMs: after - before },
    ];
    const best = this.#samples.reduce((a, b) => (b.tripMs < a.tripMs ? b : a));
    this.#offsetMs = best.offsetMs;
  }
}
