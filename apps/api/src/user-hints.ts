import { type Broker, type ChannelSets, isAway, type UserHint, type UserHints } from '@parley/domain';
import type { Clock, Log } from '@parley/runtime';

interface UserHintsOptions {
  readonly broker: Pick<Broker, 'tellUser'>;
  readonly sets: ChannelSets;
  readonly log: Log;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** A sender may lose its connection while those who listen keep theirs, and then nothing makes them look: so it is said again. */
const AGAIN_AFTER_MS = [500, 1_000, 2_000, 4_000, 8_000];

/** Who is told that his channels have changed finds them changed: what is remembered of them is forgotten first. */
export function createUserHints({ broker, sets, log, clock }: UserHintsOptions): UserHints {
  const tellOne = async (userId: string, json: string): Promise<void> => {
    for (const pauseMs of AGAIN_AFTER_MS) {
      try {
        return await broker.tellUser(userId, json);
      } catch (error) {
        if (!isAway(error)) throw error;
        await clock.sleep(pauseMs);
      }
    }
    await broker.tellUser(userId, json);
  };
  const tell = (userIds: readonly string[], hint: UserHint): void => {
    for (const userId of userIds) {
      tellOne(userId, JSON.stringify(hint)).catch((error: unknown) => {
        log.warn({ err: error, userId }, 'a hint was not heard');
      });
    }
  };
  return { tell: (userIds, hint) => void sets.changed(userIds).then(() => tell(userIds, hint)) };
}
