import { Failure, isAway } from '@parley/domain';
import { type Breaker, BreakerOpenError, type BreakerState, createBreaker } from '@parley/runtime';

type Method = (...args: never[]) => Promise<unknown>;

/** A breaker that opens when a store is away, and not when it refuses something. */
export function createStoreBreaker(name: string, onChange: (state: BreakerState) => void): Breaker {
  return createBreaker({ name, isFailure: isAway, onChange });
}

/** The same port (an object of asynchronous methods that need no `this`) behind a breaker: while that is open its calls fail at once with `UNAVAILABLE`, and nobody waits. */
export function guardPort<T extends object>(port: T, breaker: Breaker): T {
  const methods = Object.entries(port) as [string, Method][];
  const guarded = methods.map(([name, method]) => [
    name,
    (...args: never[]) => passing(breaker, () => method(...args)),
  ]);
  return Object.fromEntries(guarded) as T;
}

async function passing<R>(breaker: Breaker, work: () => Promise<R>): Promise<R> {
  try {
    return await breaker.run(work);
  } catch (error) {
    if (!(error instanceof BreakerOpenError)) throw error;
    throw new Failure('UNAVAILABLE', 'the database is not available', {
      cause: error,
      retryAfterMs: error.retryAfterMs,
    });
  }
}
