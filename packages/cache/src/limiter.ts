import { type Limit, type Limiter, type LimitVerdict, type LoadFactors, NO_LOAD } from '@parley/domain';
import { type Breaker, type BreakerState, type Clock, createBreaker, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import { type Allowance, type Allowances, allowancesOf, type Rate, shrink } from './allowances.ts';
import type { Keys } from './keys.ts';
import { LocalBuckets } from './local-buckets.ts';
import { RateLedger } from './rate-ledger.ts';
import { readScript, type Script } from './script.ts';
import { SPAN_CELLS } from './span-cells.ts';

interface LimiterOptions {
  /** Of kind `cache`. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly limits: Allowances;
  /** Threads that share the limits when each has to count alone. */
  readonly threads?: number;
  /** What is left of the limits now; all of them, if nobody measures. */
  readonly factors?: () => LoadFactors;
  readonly clock?: Clock;
  readonly onBreaker?: (state: BreakerState) => void;
}

type LimitSettings = Parameters<typeof allowancesOf>[0] & { readonly RATE_LIMIT_ENABLED: boolean };

const ALLOWED: LimitVerdict = { allowed: true, retryAfterMs: 0 };
const RATE = readScript('limit-rate');
const TOLD = readScript('limit-told');
const SPAN = readScript('limit-span', { SPAN_CELLS });
/** For so long the store may not know of what a thread has allowed. */
const TELL_AFTER_MS = 100;

/**
 * Limits with one script call on the cache store; none for a rate that is far from used up: the store is told of that later, of many
 * users together. While the store is away, this thread counts by itself.
 */
export class RedisLimiter implements Limiter {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #limits: Allowances;
  readonly #factors: () => LoadFactors;
  readonly #breaker: Breaker;
  readonly #local: LocalBuckets;
  readonly #ledger: RateLedger;
  #telling: NodeJS.Timeout | null = null;

  constructor({
    redis,
    keys,
    limits,
    threads = 1,
    factors = () => NO_LOAD,
    clock = systemClock,
    onBreaker,
  }: LimiterOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#limits = limits;
    this.#factors = factors;
    this.#breaker = createBreaker({ name: 'cache store', clock, ...(onBreaker && { onChange: onBreaker }) });
    this.#local = new LocalBuckets(threads, clock);
    this.#ledger = new RateLedger(clock);
  }

  async take(limit: Limit, userId: string, calls = 1): Promise<LimitVerdict> {
    const allowance = shrink(this.#limits[limit], this.#factors());
    const key = this.#keys[allowance.type === 'span' ? 'calls' : 'limit'](limit, userId);
    const rate = allowance.type === 'rate' ? allowance : null;
    if (rate && this.#allows(key, rate, calls)) return ALLOWED;
    let waitMs: number;
    try {
      waitMs = await this.#breaker.run(() => this.#ask(key, allowance, calls));
      if (rate && waitMs === 0) this.#ledger.allowed(key, rate, calls);
    } catch {
      // A limit that cannot be asked for must not stop anybody; the breaker's state says that it happened.
      waitMs = this.#local.take(key, allowance, calls);
    }
    return waitMs === 0 ? ALLOWED : { allowed: false, retryAfterMs: waitMs };
  }

  #allows(key: string, rate: Rate, calls: number): boolean {
    if (this.#breaker.state !== 'closed') return false;
    if (this.#ledger.allows(key, rate, calls)) {
      // A process may end without it: what it tells of is the limit of seconds.
      this.#telling ??= setTimeout(() => void this.#tell(), TELL_AFTER_MS).unref();
      return true;
    }
    // The store is about to be asked, and hears of this first.
    if (this.#ledger.owes(key)) void this.#tell();
    return false;
  }

  async #tell(): Promise<void> {
    if (this.#telling) clearTimeout(this.#telling);
    this.#telling = null;
    const untold = this.#ledger.settle();
    const keys = [...untold.keys()];
    try {
      const waits = await this.#breaker.run(() => this.#call(TOLD, keys, [...untold.values()]));
      keys.forEach((key, i) => {
        this.#ledger.learn(key, (waits as number[])[i] ?? 0);
      });
    } catch {
      for (const [key, ms] of untold) this.#local.charge(key, ms);
    }
  }

  async #ask(key: string, allowance: Allowance, calls: number): Promise<number> {
    const script = allowance.type === 'span' ? SPAN : RATE;
    const [first, second] =
      allowance.type === 'span' ? [allowance.spanMs, allowance.calls] : [allowance.costMs, allowance.burst];
    return Number(await this.#call(script, [key], [first, second, calls]));
  }

  async #call(script: Script, keys: readonly string[], args: readonly number[]): Promise<unknown> {
    try {
      return await this.#redis.evalsha(script.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error;
      return this.#redis.eval(script.text, keys.length, ...keys, ...args);
    }
  }
}

/** No limits, and no round trip: `RATE_LIMIT_ENABLED=false`. */
export const unlimited: Limiter = { take: () => Promise.resolve(ALLOWED) };

/** The limiter that the settings ask for. Users of the allowlist are exempt from all of it. */
export function createLimiter(
  settings: LimitSettings,
  { exempt = new Set(), ...options }: Omit<LimiterOptions, 'limits'> & { readonly exempt?: ReadonlySet<string> },
): Limiter {
  if (!settings.RATE_LIMIT_ENABLED) return unlimited;
  const limiter = new RedisLimiter({ ...options, limits: allowancesOf(settings) });
  if (exempt.size === 0) return limiter;
  return {
    take: (limit, userId, calls) =>
      exempt.has(userId) ? Promise.resolve(ALLOWED) : limiter.take(limit, userId, calls),
  };
}
