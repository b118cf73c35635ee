import { Failure } from '@parley/domain';
import type { Principal, VerifyToken } from './verify-token.ts';

/** What it stands on, and what is done when its time is over. */
export interface LiveSessionDeps {
  verify(token: string): ReturnType<VerifyToken>;
  /** How long after the token's end the connection is still kept. */
  readonly graceMs: number;
  /** Called with each newer token's principal. */
  onRenewed?(principal: Principal): void;
  /** Called once, when nobody has brought a newer token in time. */
  onExpired(): void;
}

/** Longer timers would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** One live connection of a user: it lives as long as its newest token, and a moment longer. */
export class LiveSession implements Disposable {
  readonly userId: string;
  readonly name: string;
  readonly #deps: LiveSessionDeps;
  #expiresAt: number;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(principal: Pick<Principal, 'userId' | 'name' | 'expiresAt'>, deps: LiveSessionDeps) {
    this.userId = principal.userId;
    this.name = principal.name;
    this.#expiresAt = principal.expiresAt;
    this.#deps = deps;
  }

  /** When its newest token ends. */
  get expiresAt(): number {
    return this.#expiresAt;
  }

  /** Starts to watch the token's end. */
  run(): void {
    this.#arm();
  }

  /** Takes a newer token of the same user. An older one never shortens the session. */
  async refresh(token: string): Promise<{ expiresAt: number }> {
    const principal = await this.#deps.verify(token);
    if (principal.userId !== this.userId) throw new Failure('UNAUTHENTICATED', 'the token is of another user');
    this.#expiresAt = Math.max(this.#expiresAt, principal.expiresAt);
    this.#deps.onRenewed?.(principal);
    this.#arm();
    return { expiresAt: this.#expiresAt };
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#ended) return;
    const leftMs = this.#expiresAt + this.#deps.graceMs - Date.now();
    this.#timer = setTimeout(() => this.#due(), Math.min(Math.max(0, leftMs), TIMER_MAX_MS));
    this.#timer.unref();
  }

  #due(): void {
    if (Date.now() < this.#expiresAt + this.#deps.graceMs) this.#arm();
    else this.#deps.onExpired();
  }
}
