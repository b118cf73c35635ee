import type { PresenceReader, Presences } from '@parley/domain';
import type { Log } from '@parley/runtime';

/** Presence as the cache store knows it. While it is away nobody is online: who is there all the same is told once more. */
export function whoIsOnline(presences: Pick<Presences, 'of'>, logger: Log): PresenceReader {
  return {
    online: async (userIds) => {
      try {
        const known = await presences.of(userIds);
        return new Set(known.filter(({ status }) => status !== 'offline').map(({ userId }) => userId));
      } catch (error) {
        logger.debug({ err: error }, 'nobody can say who is online');
        return new Set();
      }
    },
  };
}
