import { isAway } from '@parley/domain';
import { backoffMs } from '@parley/runtime';
import { orAbort } from '../hub/latch.ts';
import { pause } from '../hub/pause.ts';
import type { Reading } from './feed-reader.ts';

export interface Patience {
  readonly clock: { sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly signal: AbortSignal;
}

const AGAIN_MS = { firstMs: 100, maxMs: 2_000 };

/**
 * Does the work again for as long as a store is away: an open feed outlives a passing fault, for many clients do not subscribe again
 * after an error. Throws what a store says on purpose, and the signal's reason as soon as it is aborted.
 */
export async function whileAway<T>({ clock, signal }: Patience, work: () => Promise<T>): Promise<T> {
  for (let failure = 1; ; failure++) {
    try {
      return await orAbort(work(), signal);
    } catch (error) {
      if (signal.aborted || !isAway(error)) throw error;
      await pause(clock, backoffMs(failure, AGAIN_MS), signal);
    }
  }
}

/**
 * Opens a feed that is resumed: to its client it is one feed, which outlives a passing fault also when its socket or its node does not.
 * The signal is asked for when a store is away, and not before: it is made then, and kept as long as the feed.
 */
export async function openPatiently(
  { clock, reading }: { clock: Patience['clock']; reading: Reading },
  open: () => Promise<void>,
): Promise<void> {
  try {
    await open();
  } catch (error) {
    if (!isAway(error)) throw error;
    await whileAway({ clock, signal: reading.signal }, open);
  }
}
