import type { Clock, Housekeeping } from '@parley/domain';

const DAY_MS = 24 * 3_600_000;

/** The job `count-days`: yesterday and today (UTC) are counted anew, however often it runs. Yesterday's last messages may come late. */
export function createCountDays({ store, clock }: { store: Pick<Housekeeping, 'countDays'>; clock: Clock }) {
  return async (): Promise<void> => {
    const today = Math.floor(clock.now() / DAY_MS) * DAY_MS;
    await store.countDays(today - DAY_MS);
  };
}
