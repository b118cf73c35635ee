import type { Doorbell } from '@parley/domain';
import type { Drainer } from '../drain/drainer.ts';

/** A job drains for about this long; then the bell is rung again, so that no job grows old and any worker may go on. */
const JOB_MS = 1_000;

/** The job of `persist-lane`: drains the lane, and rings again where that was not enough. */
export function createPersistLane(parts: { drainer: Drainer; doorbell: Doorbell }) {
  const { drainer, doorbell } = parts;
  return async (lane: number, signal: AbortSignal): Promise<void> => {
    const stopped = Promise.withResolvers<'stopped'>();
    const stop = () => stopped.resolve('stopped');
    signal.addEventListener('abort', stop);
    try {
      if (signal.aborted) return;
      const outcome = await Promise.race([drainer.drain(lane, JOB_MS), stopped.promise]);
      // The first partition of a lane has the lane's number.
      if (outcome === 'busy') doorbell.ring(lane);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}
