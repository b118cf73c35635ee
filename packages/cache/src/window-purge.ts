import type { WindowPurge } from '@parley/domain';
import { epochKey, headerKey, type Keys, statesKey, windowKey } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { readScript } from './script.ts';

const PURGE = readScript('purge');
const AT_ONCE = 50;

/** Windows, cut off behind what they have of a user. One script a channel, some of them at once. */
export function createWindowPurge({ store, keys }: { store: LogStore; keys: Keys }): WindowPurge {
  const one = (userId: string, channelId: string) => {
    const stem = keys.stemOf(channelId);
    const own = [epochKey(stem), headerKey(stem, channelId), windowKey(stem, channelId), statesKey(stem, channelId)];
    return store.eval(PURGE, { keys: own, args: [userId] });
  };
  return {
    purge: async (userId, channelIds) => {
      const left = { missing: [] as string[], waiting: [] as string[] };
      for (let i = 0; i < channelIds.length; i += AT_ONCE) {
        const some = channelIds.slice(i, i + AT_ONCE);
        const answers = await Promise.all(some.map((channelId) => one(userId, channelId)));
        some.forEach((channelId, k) => {
          const answer = answers[k];
          if (answer === 'missing' || answer === 'waiting') left[answer].push(channelId);
        });
      }
      return left;
    },
  };
}
