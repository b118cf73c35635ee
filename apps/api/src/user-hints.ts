import type { Broker, ChannelSets, UserHints } from '@parley/domain';
import type { Log } from '@parley/runtime';

interface UserHintsOptions {
  readonly broker: Pick<Broker, 'tellUser'>;
  readonly sets: ChannelSets;
  readonly log: Log;
}

/** Who is told that his channels have changed finds them changed: what is remembered of them is forgotten first. */
export function createUserHints({ broker, sets, log }: UserHintsOptions): UserHints {
  const tell: UserHints['tell'] = (userIds, hint) => {
    for (const userId of userIds) {
      broker.tellUser(userId, JSON.stringify(hint)).catch((error: unknown) => {
        log.debug({ err: error }, 'a hint was not heard');
      });
    }
  };
  return { tell: (userIds, hint) => void sets.changed(userIds).then(() => tell(userIds, hint)) };
}
