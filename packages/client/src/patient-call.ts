import type { ClientClock } from './clock.ts';
import { failureOf } from './failure.ts';
import { type Random, retryDelayMs } from './retry-delay.ts';

export interface Patience {
  readonly clock: ClientClock;
  readonly random: Random;
  readonly attempts: number;
}

/** Repeats a call that may be repeated, until it is answered, refused for good, or tried often enough. */
export async function patiently<T>(call: () => Promise<T>, { clock, random, attempts }: Patience): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const failure = failureOf(error);
      if ((failure && !failure.retryable) || attempt + 1 >= attempts) throw error;
      const delayMs = (failure?.retryAfterMs ?? 0) + retryDelayMs(attempt, random);
      await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
    }
  }
}
