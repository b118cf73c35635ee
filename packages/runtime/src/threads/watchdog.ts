import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { stackOf } from './stack-of.ts';
import type { Thread } from './thread.ts';

interface WatchdogOptions {
  threads(): readonly Thread[];
  /** A thread whose event loop answers no ping for this long is ended. 0: never. */
  readonly stallMs: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

const PING_EVERY_MS = 1_000;
const STACK_WITHIN_MS = 2_000;

/** Ends threads whose event loop does not turn any more, and says in the log what they were doing. Who replaces them is another's work. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #everyMs: number;
  readonly #stalls: ReturnType<Metrics['counter']>;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#everyMs = Math.min(PING_EVERY_MS, options.stallMs / 10);
    const help = 'Threads that were ended because their event loop did not turn';
    this.#stalls = options.metrics.counter('thread_stalls_total', help);
  }

  run(): void {
    if (this.#options.stallMs > 0) this.#timer = setInterval(() => this.#pingAll(), this.#everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Counts unanswered pings, not time: after a machine's sleep one tick has passed, whatever the clock says. */
  #pingAll(): void {
    const { threads, stallMs } = this.#options;
    for (const thread of threads()) {
      if (thread.state !== 'ready' || thread.stalled) continue;
      if (++thread.missedPings * this.#everyMs > stallMs) {
        thread.stalled = true;
        void this.#end(thread);
        continue;
      }
      thread.ask({ ask: 'ping' }, stallMs * 2).then(
        () => {
          thread.missedPings = 0;
        },
        () => undefined,
      );
    }
  }

  async #end(thread: Thread): Promise<void> {
    const { log, stallMs } = this.#options;
    this.#stalls.inc();
    const stack = await stackOf(thread.id, STACK_WITHIN_MS);
    log.error({ thread: thread.id, slot: thread.slot, stallMs, stack }, 'a thread is stuck and will be ended');
    await thread.terminate();
  }
}
