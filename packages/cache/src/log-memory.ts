import { type Clock, type Log, Loop, type Service } from '@parley/runtime';
import type { LogStore } from './log-store.ts';

interface LogMemoryOptions {
  readonly store: LogStore;
  readonly log: Log;
  readonly clock?: Clock;
  readonly everyMs?: number;
}

/** The rest is for windows, headers, queues, and for the copy that a rewrite of the append-only file makes. */
const SHARE_FOR_SENDS = 0.5;

/** Knows whether the log store has room for what is sent; asked each second, because a full server refuses the worker's writes, too. */
export class LogMemory implements Service {
  readonly name = 'log memory';
  readonly #store: LogStore;
  readonly #loop: Loop;
  #full = false;

  constructor({ store, everyMs = 1_000, ...rest }: LogMemoryOptions) {
    this.#store = store;
    this.#loop = new Loop({ ...rest, name: this.name, everyMs, work: () => this.#look() });
  }

  /** More than half of `maxmemory` is used; false where there is no limit. */
  get full(): boolean {
    return this.#full;
  }

  run(): void {
    this.#loop.run();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<void> {
    // While the store is away nothing is sent anyway.
    if (this.#store.redis.status !== 'ready') return;
    const info = await this.#store.read((redis) => redis.info('memory'));
    const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const max = field('maxmemory');
    this.#full = max > 0 && field('used_memory') > max * SHARE_FOR_SENDS;
  }
}
