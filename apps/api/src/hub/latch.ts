import type { Listener } from './wake-up.ts';

/** One waiter, any number of wakes: those that come while nobody waits are one. */
export class Latch implements Listener {
  #isAwake = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#isAwake = true;
    this.#resolve?.();
  }

  /** Resolves at once when it was woken since the last wait, else at the next wake. */
  async wait(): Promise<void> {
    if (!this.#isAwake) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
      this.#resolve = undefined;
    }
    this.#isAwake = false;
  }
}

/** The promise's outcome, or the signal's reason as soon as it is aborted: nobody waits for a store on behalf of one who has gone. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const gone = Promise.withResolvers<never>();
  const leave = () => gone.reject(signal.reason);
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([promise, gone.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
