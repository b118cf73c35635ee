import type { Limit, Limiter, LimitVerdict } from '@parley/domain';
import { type Breaker, type BreakerState, type Clock, createBreaker, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { type Allowance, LocalBuckets } from './local-buckets.ts';
import { readScript } from './script.ts';

interface LimiterOptions {
  /** Of kind `cache`. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly limits: Readonly<Record<Limit, Allowance>>;
  /** Threads that share the limits when each has to count alone. */
  readonly threads?: number;
  readonly clock?: Clock;
  readonly onBreaker?: (state: BreakerState) => void;
}

interface LimitSettings {
  readonly RATE_LIMIT_ENABLED: boolean;
  readonly SEND_RATE_PER_MINUTE: number;
  readonly SEND_BURST: number;
  readonly CHANNEL_CREATES_PER_HOUR: number;
  readonly CHANNEL_JOINS_PER_HOUR: number;
  readonly HTTP_QUERIES_PER_HOUR: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ALLOWED: LimitVerdict = { allowed: true, retryAfterMs: 0 };
const LIMIT = readScript('limit');

/** What the settings allow each user. */
export function allowancesOf(settings: LimitSettings): Record<Limit, Allowance> {
  return {
    'message.send': { costMs: MINUTE_MS / settings.SEND_RATE_PER_MINUTE, burst: settings.SEND_BURST },
    'channel.create': hourly(settings.CHANNEL_CREATES_PER_HOUR),
    'channel.join': hourly(settings.CHANNEL_JOINS_PER_HOUR),
    'http.query': hourly(settings.HTTP_QUERIES_PER_HOUR),
  };
}

/** All of an hour's calls may be made at once; each comes back after its part of the hour. */
function hourly(calls: number): Allowance {
  return { costMs: HOUR_MS / calls, burst: calls };
}

/** Limits with one script call on the cache store. While that is away, this thread counts by itself. */
export class RedisLimiter implements Limiter {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #limits: Readonly<Record<Limit, Allowance>>;
  readonly #breaker: Breaker;
  readonly #local: LocalBuckets;

  constructor({ redis, keys, limits, threads = 1, clock = systemClock, onBreaker }: LimiterOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#limits = limits;
    this.#breaker = createBreaker({ name: 'cache store', clock, ...(onBreaker && { onChange: onBreaker }) });
    this.#local = new LocalBuckets(threads, clock);
  }

  async take(limit: Limit, userId: string): Promise<LimitVerdict> {
    const key = this.#keys.limit(limit, userId);
    const allowance = this.#limits[limit];
    let waitMs: number;
    try {
      waitMs = await this.#breaker.run(() => this.#ask(key, allowance));
    } catch {
      // A limit that cannot be asked for must not stop anybody; the breaker's state says that it happened.
      waitMs = this.#local.take(key, allowance);
    }
    return waitMs === 0 ? ALLOWED : { allowed: false, retryAfterMs: waitMs };
  }

  async #ask(key: string, { costMs, burst }: Allowance): Promise<number> {
    try {
      return Number(await this.#redis.evalsha(LIMIT.sha, 1, key, costMs, burst));
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error;
      return Number(await this.#redis.eval(LIMIT.text, 1, key, costMs, burst));
    }
  }
}

/** No limits, and no round trip: `RATE_LIMIT_ENABLED=false`. */
export const unlimited: Limiter = { take: () => Promise.resolve(ALLOWED) };

/** The limiter that the settings ask for. */
export function createLimiter(settings: LimitSettings, options: Omit<LimiterOptions, 'limits'>): Limiter {
  return settings.RATE_LIMIT_ENABLED ? new RedisLimiter({ ...options, limits: allowancesOf(settings) }) : unlimited;
}
