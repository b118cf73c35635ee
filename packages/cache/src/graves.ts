import { type ChannelGraves, Failure } from '@parley/domain';
import { epochKey, headerKey, type Keys, statesKey, windowKey } from './keys.ts';
import type { LogStore } from './log-store.ts';
import { readScript } from './script.ts';

const BURY = readScript('bury');
/** Much longer than anybody can be on the way with a copy of the channel that he read before. */
const STAYS_S = 3_600;

/** Headers of deleted channels. */
export function createGraves({ store, keys }: { store: LogStore; keys: Keys }): ChannelGraves {
  return {
    bury: async (channelId) => {
      const stem = keys.stemOf(channelId);
      const buried = await store.eval(BURY, {
        keys: [epochKey(stem), headerKey(stem, channelId), windowKey(stem, channelId), statesKey(stem, channelId)],
        args: [STAYS_S],
      });
      if (buried !== 'buried')
        throw new Failure('UNAVAILABLE', 'The message log is not open yet.', { retryAfterMs: 1_000 });
    },
  };
}
