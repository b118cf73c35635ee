import type { ErasureMemory } from '@parley/domain';
import type { Keys } from './keys.ts';
import type { LogStore } from './log-store.ts';

/** Who was erased, in the log store: the other place that outlives a restored Postgres. */
export function createErasureMemory({ store, keys }: { store: LogStore; keys: Keys }): ErasureMemory {
  return {
    remember: async (userId, askedAt) => {
      await store.write((redis) => redis.hset(keys.erasures, userId, askedAt));
    },
    all: async () => {
      const found = await store.read((redis) => redis.hgetall(keys.erasures));
      return Object.entries(found).map(([userId, askedAt]) => ({ userId, askedAt: Number(askedAt) }));
    },
  };
}
