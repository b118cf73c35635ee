import type { EverybodyHints } from '@parley/domain';
import type { Keys } from './keys.ts';
import type { LogStore } from './log-store.ts';

/** Hints for every node, by the pub/sub of the log store. */
export function createEverybodyHints({ store, keys }: { store: LogStore; keys: Keys }): EverybodyHints {
  return {
    tell: async (hint) => {
      await store.write((redis) => redis.publish(keys.everybody, JSON.stringify(hint)));
    },
  };
}
