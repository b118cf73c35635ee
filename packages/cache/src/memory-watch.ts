import { type Log, Loop, type Metrics } from '@parley/runtime';
import type { Redis } from 'ioredis';

interface MemoryWatchOptions {
  readonly stores: Readonly<Record<'log' | 'cache', Redis>>;
  readonly metrics: Pick<Metrics, 'gauge'>;
  readonly log: Log;
  readonly everyMs?: number;
}

interface Memory {
  readonly used: number;
  readonly max: number;
}

/** Tells operators how much memory the two Redis servers use, of how much. A server that is away is not told of. */
export function createMemoryWatch({ stores, metrics, log, everyMs = 5_000 }: MemoryWatchOptions): Loop {
  const known = new Map<string, Memory>();
  const gauge = (name: string, help: string, value: (memory: Memory) => number) =>
    metrics.gauge(name, help, {
      labels: ['store'],
      aggregator: 'max',
      collect: (shown) => {
        shown.reset();
        for (const [store, memory] of known) shown.set({ store }, value(memory));
      },
    });
  gauge('redis_memory_used_bytes', 'Memory that a Redis server uses', ({ used }) => used);
  gauge('redis_memory_max_bytes', 'Memory that a Redis server may use; 0: no limit', ({ max }) => max);
  return new Loop({
    name: 'memory watch',
    everyMs,
    log,
    async work() {
      for (const [store, redis] of Object.entries(stores)) {
        known.delete(store);
        if (redis.status === 'ready') known.set(store, memoryIn(await redis.info('memory')));
      }
    },
  });
}

function memoryIn(info: string): Memory {
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { used: field('used_memory'), max: field('maxmemory') };
}
