import type { Clock, OfflineStore } from '@parley/domain';
import type { Producer } from '@parley/queue';

interface PlanDigestsParts {
  readonly store: Pick<OfflineStore, 'digestsDue'>;
  readonly digests: Producer<{ userId: string }>;
  readonly afterMs: number;
  readonly clock: Clock;
}

/** How long nobody may have planned digests without leaving somebody out. */
const LOOK_BACK_MS = 24 * 3_600_000;

/** The job `plan-digests`: whoever has had something unread for long enough gets a digest of everything that he has not read. */
export function createPlanDigests({ store, digests, afterMs, clock }: PlanDigestsParts) {
  return async (): Promise<void> => {
    const nowMs = clock.now();
    const unreadSinceMs = nowMs - afterMs;
    const userIds = await store.digestsDue({ unreadSinceMs, activeSinceMs: unreadSinceMs - LOOK_BACK_MS, nowMs });
    await digests.addMany(userIds.map((userId) => ({ payload: { userId }, onceKey: userId })));
  };
}
