import { type Clock, type Log, Loop, type Service } from '@parley/runtime';
import { type Keys, logKey } from './keys.ts';
import type { LogStore } from './log-store.ts';

interface BacklogShareOptions {
  readonly store: LogStore;
  readonly keys: Keys;
  readonly backlogMaxEntries: number;
  readonly log: Log;
  readonly clock?: Clock;
  readonly everyMs?: number;
}

/** Knows how full the backlog is, whoever fills or drains it: asked every two seconds, for it takes minutes to fill. */
export class BacklogShare implements Service {
  readonly name = 'backlog share';
  readonly #options: BacklogShareOptions;
  readonly #loop: Loop;
  #fullest = 0;

  constructor(options: BacklogShareOptions) {
    this.#options = options;
    const { log, clock, everyMs = 2_000 } = options;
    this.#loop = new Loop({ name: this.name, everyMs, log, ...(clock && { clock }), work: () => this.#look() });
  }

  /** Entries that wait in the fullest partition, of those that may wait there; 0 while the store is away. */
  get fullest(): number {
    return this.#fullest;
  }

  run(): void {
    this.#loop.run();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<void> {
    const { store, keys, backlogMaxEntries } = this.#options;
    if (store.redis.status !== 'ready') {
      // Nothing is sent anyway.
      this.#fullest = 0;
      return;
    }
    const waiting = await store.read((redis) => Promise.all(keys.stems.map((stem) => redis.xlen(logKey(stem)))));
    this.#fullest = Math.max(...waiting) / backlogMaxEntries;
  }
}
