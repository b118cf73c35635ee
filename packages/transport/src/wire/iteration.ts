import { getTRPCErrorFromUnknown } from '@trpc/server';

/** What ends an iteration from outside. */
export interface Stop {
  readonly isStopped: boolean;
  /** Told once, when it is stopped. */
  onStop: Stoppable | null;
  /** An error that came too late for the client: for the application alone. */
  complain(cause: unknown): void;
}

/** What has to end when a call is stopped. */
export interface Stoppable {
  stop(): void;
}

/** Nothing more is wanted. */
export const Stopped: unique symbol = Symbol('stopped');

/**
 * The next result, or `Stopped` as soon as it is stopped, without waiting for an iterator that does not listen. Rejects with what the
 * iterator throws, as long as it is not stopped. Every wait has a promise of its own: racing one that lives as long as the subscription
 * would keep something of each wait for as long.
 */
export function takeNext(
  iterator: AsyncIterator<unknown>,
  stop: Stop,
): Promise<IteratorResult<unknown> | typeof Stopped> {
  if (stop.isStopped) return Promise.resolve(Stopped);
  return new Promise((resolve, reject) => {
    stop.onStop = { stop: () => resolve(Stopped) };
    iterator.next().then(resolve, (cause: unknown) => {
      if (!stop.isStopped) reject(cause);
      else if (!isAbort(cause)) stop.complain(cause);
    });
  });
}

/** Lets an iterator go, whichever way it offers. */
export async function dispose(iterator: AsyncIterator<unknown> & Partial<AsyncDisposable>): Promise<void> {
  const { [Symbol.asyncDispose]: end } = iterator;
  if (end) await end.call(iterator);
  else await iterator.return?.();
}

function isAbort(cause: unknown): boolean {
  const { cause: within } = getTRPCErrorFromUnknown(cause);
  return within instanceof Error && within.name === 'AbortError';
}
