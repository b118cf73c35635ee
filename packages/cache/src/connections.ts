import type { Log, Metrics } from '@parley/runtime';
import { Redis, type RedisOptions } from 'ioredis';
import { measureConnection } from './connection-metrics.ts';

/** `log` and `cache` carry commands and fail fast; `subscriber` carries publications and waits for its server. */
export type ConnectionKind = 'log' | 'cache' | 'subscriber';

interface ConnectionOptions {
  readonly url: string;
  readonly kind: ConnectionKind;
  /** How long a command may take; not for a subscriber. */
  readonly timeoutMs?: number;
  readonly log: Log;
  /** Default: its commands are not measured. */
  readonly metrics?: Pick<Metrics, 'counter' | 'histogram'> | undefined;
}

const CONNECT_MS = 2_000;

/** Soon, then every two seconds, spread so that the threads of a cluster do not come back in step. */
function retryDelayMs(attempt: number): number {
  return Math.min(2_000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2);
}

/** The reply mapping decides the client's type; every kind keeps the default. */
type Options = Omit<RedisOptions, 'replyMapping'>;

const EVERY_KIND: Options = {
  lazyConnect: true,
  connectTimeout: CONNECT_MS,
  keepAlive: 10_000,
  retryStrategy: retryDelayMs,
  // One shape of replies for every server that speaks the protocol, whatever its version.
  protocol: 2,
  disableClientInfo: true,
  // ioredis would send a command again whose reply was lost, and run it twice. Who asked decides that: he knows whether he may.
  autoResendUnfulfilledCommands: false,
};

const COMMANDS: Options = {
  ...EVERY_KIND,
  // Without it, commands for a server that is away pile up without bound and are answered much too late.
  enableOfflineQueue: false,
  // With 0 whatever is in flight is rejected as soon as the connection is lost; otherwise (6.0.0) its promise stays pending for ever.
  maxRetriesPerRequest: 0,
  // After a fail-over the old master answers READONLY: leave it.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
};

const SUBSCRIPTIONS: Options = {
  ...EVERY_KIND,
  // The broker subscribes again itself, because it must know when that is done.
  autoResubscribe: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
};

/** A connection that is not open yet: `connect` opens it, `close` ends it. It comes back by itself for as long as it takes. */
export function createConnection({ url, kind, timeoutMs, log, metrics }: ConnectionOptions): Redis {
  const redis = new Redis(url, {
    ...(kind === 'subscriber' ? SUBSCRIPTIONS : COMMANDS),
    ...(timeoutMs === undefined ? {} : { commandTimeout: timeoutMs }),
    connectionName: `parley-${kind}`,
  });
  if (metrics) measureConnection(redis, kind, metrics);
  // Each failed attempt is an event; one line per outage is what a reader wants.
  let away = false;
  redis.on('error', (error: Error) => {
    log[away ? 'debug' : 'warn']({ err: error, store: kind }, 'redis connection failed');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info({ store: kind }, 'redis connection is back');
    away = false;
  });
  return redis;
}

/** Opens the connection and resolves when it is ready, or after `patienceMs` if it is not: it goes on trying. */
export async function connect(redis: Redis, patienceMs = CONNECT_MS): Promise<void> {
  const ready = new Promise<void>((resolve) => {
    if (redis.status === 'ready') resolve();
    redis.once('ready', () => resolve());
    setTimeout(resolve, patienceMs).unref();
  });
  if (redis.status === 'wait') {
    // A failed first attempt is reported by the error listener, and followed by others.
    redis.connect().catch(() => undefined);
  }
  await ready;
}

/** Statuses in which there is a socket to end, or an end to hear of. Between two attempts there is neither. */
const ENDING = new Set(['wait', 'connecting', 'connect', 'ready']);

/** Ends the connection and resolves when its socket is gone. What is in flight fails. */
export async function close(redis: Redis): Promise<void> {
  const ended = new Promise<void>((resolve) => redis.once('end', () => resolve()));
  const pending = ENDING.has(redis.status);
  redis.disconnect();
  if (pending) await ended;
}
