import type { IncomingMessage } from 'node:http';
import { systemClock } from '@parley/runtime';
import { findRefusal, type GuardRules, type Refusal } from './guard.ts';
import type { DoorLimits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Decides who is let in. Every reason not to is found before the upgrade, so that it can be said in HTTP. */
export class Admission {
  readonly #rules: GuardRules;
  readonly #limits: DoorLimits;
  readonly #handshakes: TokenBucket;
  #unidentified = 0;
  #closed = false;

  constructor(rules: GuardRules, limits: DoorLimits) {
    this.#rules = rules;
    this.#limits = limits;
    this.#handshakes = new TokenBucket(limits.handshakes, systemClock);
  }

  /** Connections that have not said who they are. */
  get unidentified(): number {
    return this.#unidentified;
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#closed = true;
  }

  entered(): void {
    this.#unidentified++;
  }

  /** One that had entered has said who it is, or has gone without. */
  identified(): void {
    this.#unidentified--;
  }

  findRefusal(req: IncomingMessage, connections: number): Refusal | undefined {
    const refusal = findRefusal(req, this.#rules);
    if (refusal) return refusal;
    const { identityWithinMs } = this.#limits;
    if (this.#closed) return busy('draining', 1_000);
    if (connections >= this.#limits.connections) return busy('too many connections', 5_000);
    if (this.#unidentified >= this.#limits.unauthenticated) return busy('too many unidentified', identityWithinMs);
    const retryAfterMs = this.#handshakes.take();
    return retryAfterMs > 0 ? busy('too many handshakes', retryAfterMs) : undefined;
  }
}

function busy(reason: string, retryAfterMs: number): Refusal {
  return { status: 503, reason, retryAfterMs };
}
