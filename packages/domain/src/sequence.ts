import type { Place } from '@parley/protocol';

/** How an entry stands to the newest one that was delivered. */
export type Step =
  /** Directly after it. */
  | 'next'
  /** At or before it, or of an epoch that is over: a server that has been replaced still speaks. */
  | 'repeat'
  /** Entries between the two are missing. */
  | 'gap'
  /** A newer epoch began: what the older one ended with must be asked of Postgres. */
  | 'epoch';

/** Negative when a stands before b, 0 when they are the same place, positive otherwise. */
export function comparePlaces(a: Place, b: Place): number {
  return a.epoch - b.epoch || a.n - b.n;
}

/** The later of two places. */
export function laterPlace<T extends Place>(a: T, b: T): T {
  return comparePlaces(a, b) < 0 ? b : a;
}

/**
 * Judges an entry by the place delivered last. `last` may have n 0: nothing of its epoch was delivered yet, and all of the older ones
 * was.
 */
export function stepFrom(last: Place, entry: Place): Step {
  if (entry.epoch > last.epoch) return 'epoch';
  if (comparePlaces(entry, last) <= 0) return 'repeat';
  return entry.n === last.n + 1 ? 'next' : 'gap';
}

/** Whether an entry may directly follow another in a complete history: n is dense in an epoch, and each epoch begins with 1. */
export function follows(before: Place, entry: Place): boolean {
  return entry.epoch === before.epoch ? entry.n === before.n + 1 : entry.epoch > before.epoch && entry.n === 1;
}
