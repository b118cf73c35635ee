import type { ChannelSets, UserHints } from '@parley/domain';

/** Who is told that his channels have changed finds them changed: what is remembered of them is forgotten first. */
export function forgetSets(hints: UserHints, sets: ChannelSets): UserHints {
  return {
    tell: (userIds, hint) => void sets.changed(userIds).then(() => hints.tell(userIds, hint)),
  };
}
