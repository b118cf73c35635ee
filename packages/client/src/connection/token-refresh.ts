import type { ChatApi } from '../chat-api.ts';
import type { ClientClock } from '../clock.ts';
import { failureOf } from '../failure.ts';
import { type Random, retryDelayMs } from '../retry-delay.ts';

/** A token is replaced this long before it expires; one that has not even that long to live, after four fifths of its time. */
const LEAD_MS = 60_000;
const LIFE_SHARE = 0.8;
/** A `getToken` that gives the same token again is not asked in a loop. */
const LEAST_MS = 1_000;
/** By this clock it has expired already: one of the two clocks is wrong, and that may stay so for every token. */
const EXPIRED_MS = 5_000;
/** Timers cannot wait longer: 31 bits of milliseconds. */
const MOST_MS = 2 ** 31 - 1;

export interface TokenRefreshOptions {
  readonly api: ChatApi;
  readonly getToken: () => string | Promise<string>;
  readonly clock: ClientClock;
  readonly random: Random;
}

/** Gives a live connection a new token before its own expires. When that fails for good, the server closes it and it comes back with one. */
export class TokenRefresh {
  readonly #options: TokenRefreshOptions;
  #cancel: () => void = () => undefined;
  #isStopped = false;

  constructor(options: TokenRefreshOptions) {
    this.#options = options;
  }

  /** The connection was opened with this token. */
  follow(token: string): void {
    const expiresAt = expiryOf(token);
    if (expiresAt !== null) this.#plan(expiresAt);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #plan(expiresAt: number): void {
    const left = expiresAt - this.#options.clock.now();
    const inMs = left <= 0 ? EXPIRED_MS : Math.max(LEAST_MS, left * LIFE_SHARE, left - LEAD_MS);
    this.#wait(Math.min(MOST_MS, inMs), 0);
  }

  #wait(ms: number, attempt: number): void {
    this.#cancel();
    if (!this.#isStopped) this.#cancel = this.#options.clock.after(ms, () => void this.#refresh(attempt));
  }

  async #refresh(attempt: number): Promise<void> {
    const { api, getToken, random } = this.#options;
    try {
      const { expiresAt } = await api.call('session.refresh', { token: await getToken() });
      this.#plan(expiresAt);
    } catch (error) {
      const failure = failureOf(error);
      if (failure && !failure.retryable) return;
      this.#wait((failure?.retryAfterMs ?? 0) + retryDelayMs(attempt, random), attempt + 1);
    }
  }
}

/** When a JWT expires, by its own word; null for a token that does not say. The server is the one who checks it. */
export function expiryOf(token: string): number | null {
  const payload = token.split('.')[1];
  if (!payload) return null;
  try {
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : null;
    return typeof exp === 'number' ? exp * 1_000 : null;
  } catch {
    // Not a JWT: only the server can read it.
    return null;
  }
}
