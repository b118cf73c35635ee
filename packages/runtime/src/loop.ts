import { backoffMs } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Log } from './log.ts';
import type { Service } from './service.ts';

interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  /** One round. A rejection is logged and followed by a longer pause; it never ends the loop. */
  work(signal: AbortSignal): Promise<void> | void;
  readonly log: Log;
  readonly clock?: Clock;
  readonly onError?: (error: unknown) => void;
  readonly maxBackoffMs?: number;
}

/** Work that repeats: a round, a pause of `everyMs`, the next round. Rounds never overlap. `stop` waits for the round under way. */
export class Loop implements Service {
  readonly name: string;
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #pause = new AbortController();
  #woken = false;
  #running: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.name = options.name;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  run(): void {
    this.#running ??= this.#rounds();
  }

  /** Ends the pause: the next round begins now, or as soon as the present one is over. */
  wake(): void {
    this.#woken = true;
    this.#pause.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.abort();
    await this.#running;
  }

  async #rounds(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      this.#woken = false;
      try {
        await this.#options.work(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        this.#report(error, failures);
      }
      await this.#rest(failures);
    }
  }

  #report(error: unknown, failures: number): void {
    this.#options.log.warn({ err: error, loop: this.name, failures }, 'a round failed');
    try {
      this.#options.onError?.(error);
    } catch (failure) {
      this.#options.log.error({ err: failure, loop: this.name }, 'the error handler of a loop failed');
    }
  }

  async #rest(failures: number): Promise<void> {
    const { everyMs, maxBackoffMs = Math.max(10_000, everyMs) } = this.#options;
    const ms = failures === 0 ? everyMs : backoffMs(failures, { firstMs: Math.max(everyMs, 100), maxMs: maxBackoffMs });
    if (this.#woken || this.#stopping.signal.aborted) return;
    this.#pause = new AbortController();
    const { signal } = this.#pause;
    await this.#clock.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
