import type { ClientClock } from '../clock.ts';
import { expiryOf } from './token-refresh.ts';

/** A token is not used for longer than this part of its life. */
const LIFE_SHARE = 0.8;

/** The token for calls that each carry it: asked for again before it expires, and when the server says that it has. */
export class KeptToken {
  readonly #getToken: () => string | Promise<string>;
  readonly #clock: Pick<ClientClock, 'now'>;
  #token: Promise<string> | null = null;
  #until = 0;

  constructor(getToken: () => string | Promise<string>, clock: Pick<ClientClock, 'now'>) {
    this.#getToken = getToken;
    this.#clock = clock;
  }

  get(): Promise<string> {
    if (this.#token === null || this.#clock.now() >= this.#until) this.#token = this.#ask();
    return this.#token;
  }

  forget(): void {
    this.#token = null;
  }

  async #ask(): Promise<string> {
    this.#until = Number.POSITIVE_INFINITY;
    try {
      const token = await this.#getToken();
      const now = this.#clock.now();
      const expiresAt = expiryOf(token);
      this.#until = expiresAt === null ? Number.POSITIVE_INFINITY : now + (expiresAt - now) * LIFE_SHARE;
      return token;
    } catch (error) {
      this.forget();
      throw error;
    }
  }
}
