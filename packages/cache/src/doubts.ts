import type { Clock } from '@parley/runtime';
import type { CopyKeys } from './copy-store.ts';

/** Copies in doubt that one thread keeps in mind; beyond it only their TTL ends them. */
const DOUBTS_MAX = 10_000;
const RETRY_MS = 500;

/** Copies that must be forgotten and are not yet: this thread goes without them until they are. */
export class Doubts {
  readonly #forget: (keys: readonly CopyKeys[]) => Promise<void>;
  readonly #clock: Clock;
  readonly #doubted = new Map<string, CopyKeys>();
  readonly #stopping = new AbortController();
  #retrying = false;

  constructor(forget: (keys: readonly CopyKeys[]) => Promise<void>, clock: Clock) {
    this.#forget = forget;
    this.#clock = clock;
  }

  has({ copy }: CopyKeys): boolean {
    return this.#doubted.has(copy);
  }

  /** Resolves when they are forgotten, or when that has failed once: it is tried again, for as long as it takes. */
  async add(keys: readonly CopyKeys[]): Promise<void> {
    if (keys.length === 0) return;
    for (const one of keys) if (this.#doubted.size < DOUBTS_MAX) this.#doubted.set(one.copy, one);
    if (!(await this.#settle(keys)) && !this.#retrying) {
      this.#retrying = true;
      void this.#retry();
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #settle(keys: readonly CopyKeys[]): Promise<boolean> {
    try {
      await this.#forget(keys);
    } catch {
      return false;
    }
    // One that was doubted again meanwhile is another object, and waits for its own turn.
    for (const one of keys) if (this.#doubted.get(one.copy) === one) this.#doubted.delete(one.copy);
    return true;
  }

  async #retry(): Promise<void> {
    const { signal } = this.#stopping;
    while (this.#doubted.size > 0 && !signal.aborted) {
      await this.#clock.sleep(RETRY_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.#settle([...this.#doubted.values()]);
    }
    this.#retrying = false;
  }
}
