import { Failure } from '@parley/domain';
import { BreakerOpenError, createBreaker, type Log } from '@parley/runtime';

/** Runs one call of a storage. What fails there may pass: it is `UNAVAILABLE`, and nothing of why reaches a client. */
export type StoreCall = <T>(work: () => Promise<T>) => Promise<T>;

const RETRY_AFTER_MS = 1_000;

/** The calls of one storage: each failure is logged; after some in a row nobody waits for it, until single probes find it again. */
export function createStoreCalls(log: Log): StoreCall {
  const breaker = createBreaker({
    name: 'the file storage',
    isFailure: (error) => !isOurs(error),
    onChange: (state) => {
      if (state === 'open') log.error('the file storage is away');
      if (state === 'closed') log.info('the file storage is back');
    },
  });
  return async (work) => {
    try {
      return await breaker.run(work);
    } catch (error) {
      if (isOurs(error)) throw error;
      if (error instanceof BreakerOpenError) throw away(error, error.retryAfterMs);
      log.warn({ err: error }, 'the file storage failed');
      throw away(error, RETRY_AFTER_MS);
    }
  };
}

/** A key that is none says nothing about the storage. */
function isOurs(error: unknown): boolean {
  return error instanceof RangeError;
}

function away(cause: unknown, retryAfterMs: number): Failure {
  return new Failure('UNAVAILABLE', 'the file storage is not available', { cause, retryAfterMs });
}

/** The result of work on something that may not be there; null when it is not. */
export async function orNull<T>(isMissing: (error: unknown) => boolean, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
