import type { Clock, OfflineStore, OutletsOn, PresenceReader } from '@parley/domain';
import type { Producer } from '@parley/queue';

interface FanOfflineParts {
  readonly store: Pick<OfflineStore, 'membersToTell'>;
  readonly presence: PresenceReader;
  readonly deliver: Producer<{ userId: string }>;
  readonly outlets: OutletsOn;
  /** How long somebody has to come back by himself. */
  readonly afterMs: number;
  readonly clock: Clock;
}

/** How far back a sweep looks: longer than a worker, or the queue, is ever away unnoticed. */
const SWEEP_BACK_MS = 15 * 60_000;
const USERS_AT_ONCE = 1_000;

/** The job `fan-offline`: members of channels with something new who are away get a job each, later. One statement, whatever their number. */
export function createFanOffline({ store, presence, deliver, outlets, afterMs, clock }: FanOfflineParts) {
  return async ({ channelIds }: { channelIds: readonly string[] }): Promise<void> => {
    const nowMs = clock.now();
    const sinceMs = channelIds.length === 0 ? nowMs - SWEEP_BACK_MS : null;
    const userIds = await store.membersToTell({ channelIds, sinceMs, nowMs, outlets });
    for (let i = 0; i < userIds.length; i += USERS_AT_ONCE) {
      const some = userIds.slice(i, i + USERS_AT_ONCE);
      const online = await presence.online(some);
      const away = some.filter((userId) => !online.has(userId));
      await deliver.addMany(away.map((userId) => ({ payload: { userId }, onceKey: userId, delayMs: afterMs })));
    }
  };
}
