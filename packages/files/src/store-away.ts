import { Failure } from '@parley/domain';

/** Runs work on a store. What fails there is the store's fault or the operator's, and may pass: nothing of it reaches a client. */
export async function onStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('UNAVAILABLE', 'the file storage is not available', { cause: error, retryAfterMs: 1_000 });
  }
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
