import { type PresenceChange, parsePresenceChanges } from '@parley/domain';
import { createMetrics } from '@parley/runtime';
import type { Redis } from 'ioredis';
import { CacheStore } from '../src/cache-store.ts';
import { close, connect, createConnection } from '../src/connections.ts';
import { RedisPresenceSessions } from '../src/presence-sessions.ts';
import { RedisPresences } from '../src/presences.ts';
import { keys, silent } from './rig.ts';

export interface PresenceNodeOptions {
  readonly url: string;
  readonly ttlMs?: number;
  readonly heartbeatMs?: number;
  readonly lastSeenTtlMs?: number;
}

/** One node of a cluster, as far as presence goes. */
export async function startPresenceNode(options: PresenceNodeOptions) {
  const { url, ttlMs = 60_000, heartbeatMs = 20_000, lastSeenTtlMs = 86_400_000 } = options;
  const redis = createConnection({ url, kind: 'cache', timeoutMs: 2_000, log: silent });
  await connect(redis, 10_000);
  const store = new CacheStore(redis);
  const metrics = createMetrics();
  const presences = new RedisPresences({ store, keys, ttlMs, lastSeenTtlMs });
  const sessions = new RedisPresenceSessions({ presences, redis, ttlMs, heartbeatMs, log: silent, metrics });
  sessions.run();
  return {
    redis,
    store,
    presences,
    sessions,
    metrics,
    /** As if it were killed: nobody is let go of. */
    die: () => close(redis),
    async [Symbol.asyncDispose]() {
      await sessions.stop();
      if (redis.status !== 'end') await close(redis);
    },
  };
}

export type PresenceNode = Awaited<ReturnType<typeof startPresenceNode>>;

export async function statusOf({ presences }: PresenceNode, userId: string) {
  return (await presences.of([userId]))[0]?.status;
}

/** Changes of presence as they are published from now on. */
export async function listen(redis: Redis): Promise<PresenceChange[]> {
  const changes: PresenceChange[] = [];
  redis.on('message', (_, text: string) => changes.push(...parsePresenceChanges(text)));
  await redis.subscribe(keys.presence);
  return changes;
}
