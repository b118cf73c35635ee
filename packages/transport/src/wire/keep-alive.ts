/** How a dead peer is found. */
export interface KeepAlive {
  /** A peer that was quiet for this long is asked whether it is there. */
  readonly pingMs: number;
  /** One that says nothing for this long after that is let go of. */
  readonly pongWaitMs: number;
}

/** Somebody who may be dead. */
export interface Peer {
  /** When it was last heard of, on `performance.now()`. */
  heardAt: number;
  /** Whether it has been asked since. */
  asked: boolean;
  ask(): void;
  letGo(): void;
}

const LOOKS_PER_TIME = 20;
const LOOK_MIN_MS = 5;
const LOOK_MAX_MS = 1_000;

/** Watches any number of peers with one timer, which runs only while there are any: a message costs no timer of its own. */
export class PeerWatch {
  readonly #times: KeepAlive;
  readonly #peers = new Set<Peer>();
  #timer: NodeJS.Timeout | undefined;

  constructor(times: KeepAlive) {
    this.#times = times;
  }

  add(peer: Peer): void {
    this.#peers.add(peer);
    const { pingMs, pongWaitMs } = this.#times;
    const everyMs = Math.min(LOOK_MAX_MS, Math.max(LOOK_MIN_MS, Math.min(pingMs, pongWaitMs) / LOOKS_PER_TIME));
    this.#timer ??= setInterval(() => this.#look(performance.now()), everyMs);
  }

  delete(peer: Peer): void {
    this.#peers.delete(peer);
    if (this.#peers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(now: number): void {
    const { pingMs, pongWaitMs } = this.#times;
    for (const peer of this.#peers) {
      const quietMs = now - peer.heardAt;
      if (quietMs < pingMs) continue;
      if (!peer.asked) {
        peer.asked = true;
        // A thread that was held up has heard nobody: each gets his full time to answer.
        peer.heardAt = now - pingMs;
        peer.ask();
      } else if (quietMs >= pingMs + pongWaitMs) {
        peer.letGo();
      }
    }
  }
}
