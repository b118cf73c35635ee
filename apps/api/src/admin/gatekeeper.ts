import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@parley/runtime';

interface GatekeeperOptions {
  /** `ADMIN_TOKEN`. */
  readonly token: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** What somebody at the door is told. `wait`: he has tried too often, and is not even listened to. */
export type Admittance =
  | { readonly type: 'welcome' }
  | { readonly type: 'wrong' }
  | { readonly type: 'wait'; readonly retryAfterMs: number };

const FAILURES_MAX = 10;
const FAILURES_WITHIN_MS = 60_000;
/** Addresses remembered; beyond it the one that failed first is forgotten. */
const ADDRESSES_MAX = 1_000;

interface Failures {
  count: number;
  readonly since: number;
}

/** Lets in who has the token. The comparison takes as long for a token that is nearly right as for one that is not at all. */
export class Gatekeeper {
  readonly #digest: Buffer;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #failures = new Map<string, Failures>();

  constructor({ token, clock }: GatekeeperOptions) {
    this.#digest = digestOf(token);
    this.#clock = clock;
  }

  /** Asks for `Authorization: Bearer …`. After ten failures within a minute an address waits until that minute is over. */
  admit(address: string, authorization: string | undefined): Admittance {
    const now = this.#clock.now();
    const failures = this.#recent(address, now);
    if (failures && failures.count >= FAILURES_MAX) {
      return { type: 'wait', retryAfterMs: failures.since + FAILURES_WITHIN_MS - now };
    }
    const token = /^bearer (.*)$/i.exec(authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digestOf(token), this.#digest)) return { type: 'welcome' };
    this.#count(address, failures ?? { count: 0, since: now });
    return { type: 'wrong' };
  }

  #recent(address: string, now: number): Failures | undefined {
    const failures = this.#failures.get(address);
    return failures && now - failures.since < FAILURES_WITHIN_MS ? failures : undefined;
  }

  #count(address: string, failures: Failures): void {
    failures.count++;
    this.#failures.delete(address);
    this.#failures.set(address, failures);
    const oldest = this.#failures.size > ADDRESSES_MAX ? this.#failures.keys().next().value : undefined;
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}

/** Of one length, whatever the token's: its own length is not told either. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
