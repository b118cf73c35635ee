import { Failure } from '@parley/domain';
import type { LogStore } from './log-store.ts';

const PATIENCE_MS = 200;

/**
 * Holds answers back until enough replicas have what was written. One WAIT serves every write that the connection has carried so far:
 * it is sent at the end of the event loop's turn, and blocks the connection only as long as the slowest replica asked for.
 */
export class ReplicaWait {
  readonly #store: LogStore;
  readonly #replicas: number;
  readonly #patienceMs: number;
  #group: Promise<void> | undefined;

  constructor(store: LogStore, replicas: number, patienceMs = PATIENCE_MS) {
    this.#store = store;
    this.#replicas = replicas;
    this.#patienceMs = patienceMs;
  }

  /** Resolves at once when no replica is asked for; throws `UNKNOWN_RETRY` when too few have answered in time. */
  confirmed(): Promise<void> | undefined {
    if (this.#replicas === 0) return undefined;
    this.#group ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#group = undefined;
      return this.#wait();
    });
    return this.#group;
  }

  async #wait(): Promise<void> {
    const have = await this.#store.write((redis) => redis.wait(this.#replicas, this.#patienceMs));
    if (have < this.#replicas) {
      throw new Failure('UNKNOWN_RETRY', 'The message log is not replicated yet; try again.', { retryAfterMs: 100 });
    }
  }
}
