import {
  CacheStore,
  close,
  connect,
  createConnection,
  type Keys,
  RedisEphemeralBroker,
  RedisPresenceSessions,
  RedisPresences,
  RedisTyping,
} from '@parley/cache';
import type { ChannelViews } from '@parley/domain';
import { type Log, type Metrics, type Service, systemClock } from '@parley/runtime';
import type { Hub } from '../hub/hub.ts';
import type { ApiSettings } from '../settings.ts';
import { createEphemeralHub } from './ephemeral-hub.ts';

interface PartsOptions {
  readonly settings: ApiSettings;
  /** The connection for commands to the cache store. */
  readonly redis: CacheStore['redis'];
  readonly keys: Keys;
  readonly hub: Pick<Hub, 'attach' | 'detach'>;
  readonly views: Pick<ChannelViews, 'members'>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Everything of presence and typing on one thread, on the cache store alone. */
export function createEphemeralParts({ settings, redis, keys, hub: channels, views, log, metrics }: PartsOptions) {
  const { PRESENCE_TTL_MS: ttlMs, LAST_SEEN_TTL_MS: lastSeenTtlMs, PRESENCE_HEARTBEAT_MS: heartbeatMs } = settings;
  const { TYPING_TTL_MS: typingTtlMs } = settings;
  const store = new CacheStore(redis);
  const presences = new RedisPresences({ store, keys, ttlMs, lastSeenTtlMs });
  const sessions = new RedisPresenceSessions({ presences, redis, ttlMs, heartbeatMs, log, metrics });
  const hub = createEphemeralHub({
    hub: channels,
    views,
    presences,
    membersMax: settings.PRESENCE_MEMBERS_MAX,
    typingTtlMs,
    presenceTtlMs: ttlMs,
    clock: systemClock,
    logger: log,
    metrics,
  });
  const subscriber = createConnection({ url: settings.REDIS_CACHE_URL, kind: 'subscriber', log, metrics });
  const broker = new RedisEphemeralBroker({ store, subscriber, keys, events: hub, log, metrics });
  hub.connect(broker);
  const connection: Service = {
    name: 'redis cache subscriber',
    run: () => connect(subscriber),
    stop: () => close(subscriber),
  };
  /** In the order of their start. */
  const services: Service[] = [connection, broker, hub, sessions];
  return { presences, sessions, typing: new RedisTyping({ store, keys, ttlMs: typingTtlMs }), hub, services };
}
