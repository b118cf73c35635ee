import type { SeenStore, SeenTimes } from '@parley/domain';

interface PresenceSweepDeps {
  readonly times: SeenTimes;
  readonly store: SeenStore;
}

/** Users of one statement. */
const BATCH_USERS = 1_000;
/** A time is worked out before it is noted: one that was noted late must not be passed over. */
const LATE_MS = 5_000;

/**
 * The job of `presence-sweep`: brings when users were seen last to Postgres, and removes what nodes that died left in the cache store.
 * Every worker may do it, at any time: a time only rises in Postgres, so twice is as good as once.
 */
export function createPresenceSweep({ times, store }: PresenceSweepDeps): (signal: AbortSignal) => Promise<void> {
  /** Everything before it is in Postgres, by this worker's doing. */
  let done = 0;
  return async (signal) => {
    for (let at = Math.max(0, done - LATE_MS); !signal.aborted; ) {
      const users = await times.from(at, BATCH_USERS);
      await store.saw(users);
      const last = users.at(-1)?.at ?? at;
      done = Math.max(done, last);
      if (users.length < BATCH_USERS) break;
      // Others may have been seen at the very same moment as the last one, unless that filled a whole batch.
      at = last > at ? last : last + 1;
    }
    while (!signal.aborted && (await times.tidy(BATCH_USERS)) === BATCH_USERS);
  };
}
