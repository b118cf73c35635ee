import { createHash, randomBytes } from 'node:crypto';
import { Failure, type TicketHolder, type Tickets } from '@parley/domain';
import { type Breaker, type Clock, createBreaker, systemClock } from '@parley/runtime';
import type { Redis } from 'ioredis';
import * as z from 'zod';
import type { Keys } from './keys.ts';

interface TicketsOptions {
  /** Of kind `cache`. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly clock?: Clock;
}

const LIVES_MS = 30_000;
const BYTES = 32;
const RETRY_AFTER_MS = 1_000;

const holderSchema = z.object({
  userId: z.string(),
  name: z.string(),
  sid: z.string().nullable(),
  issuedAt: z.number(),
  expiresAt: z.number(),
});

/** Tickets in the cache store, by their hash: who reads the store learns none. Taken out and deleted in one command. */
export class RedisTickets implements Tickets {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #breaker: Breaker;

  constructor({ redis, keys, clock = systemClock }: TicketsOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#clock = clock;
    this.#breaker = createBreaker({ name: 'tickets', clock });
  }

  async issue(holder: TicketHolder): Promise<{ ticket: string; expiresAt: number }> {
    const ticket = randomBytes(BYTES).toString('base64url');
    const expiresAt = this.#clock.now() + LIVES_MS;
    await this.#asking(() => this.#redis.set(this.#key(ticket), JSON.stringify(holder), 'PX', LIVES_MS));
    return { ticket, expiresAt };
  }

  async redeem(ticket: string): Promise<TicketHolder | null> {
    const found = await this.#asking(() => this.#redis.getdel(this.#key(ticket)));
    return found === null ? null : holderSchema.parse(JSON.parse(found));
  }

  #key(ticket: string): string {
    return this.#keys.ticket(createHash('sha256').update(ticket).digest('hex'));
  }

  async #asking<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.run(work);
    } catch (cause) {
      throw new Failure('UNAVAILABLE', 'tickets cannot be had now', { cause, retryAfterMs: RETRY_AFTER_MS });
    }
  }
}
