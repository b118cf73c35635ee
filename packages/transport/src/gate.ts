import { type Clock, systemClock } from '@parley/runtime';

/** What is written to: a socket, or an answer that does not end. */
export interface Carrier {
  /** Bytes that wait to be sent. */
  readonly waitingBytes: number;
  readonly isOpen: boolean;
  /** Ends it because its reader is too slow. */
  cutOff(): void;
  /** Calls back once when everything was taken, if it can tell. */
  whenDrained?(callback: () => void): void;
}

/** When a socket counts as full, and when its reader counts as too slow. */
export interface GateLimits {
  /** With this many bytes waiting the gate is shut. */
  readonly highWaterBytes: number;
  /** With this many the socket is closed. */
  readonly slowBytes: number;
  /** A gate that stays shut for this long closes the socket. */
  readonly slowAfterMs: number;
}

/** Lets a feed write only while its reader keeps up, so that what waits for a slow reader waits in no memory of ours. */
export interface Gate {
  /** Resolves when the socket has room. Rejects with the signal's reason, or when the socket closes first. */
  open(signal?: AbortSignal): Promise<void>;
  /** Whether it would open at once: there is room, and nobody waits. */
  readonly isOpen: boolean;
  /** Whether there is room, whoever waits: for those who write at once and look again before they write more. */
  readonly hasRoom: boolean;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

const POLL_MS = 25;
/** Who has not read for long is looked at less often: ten thousand stalled readers must not cost those who read. */
const POLL_MAX_MS = 250;
const POLL_SHARE = 0.1;

/** The gate of one socket. It looks at the socket only while it is shut and somebody waits. */
export function createGate(carrier: Carrier, limits: GateLimits, clock: Pick<Clock, 'now'> = systemClock): Gate {
  return new SocketGate(carrier, limits, clock);
}

class SocketGate implements Gate {
  readonly #carrier: Carrier;
  readonly #limits: GateLimits;
  readonly #clock: Pick<Clock, 'now'>;
  /** Null most of the time, and there are as many gates as sockets. */
  #waiting: Set<Waiter> | null = null;
  #shutSince = 0;
  #timer: NodeJS.Timeout | undefined;
  #isLookingSoon = false;
  #awaitsDrain = false;

  constructor(carrier: Carrier, limits: GateLimits, clock: Pick<Clock, 'now'>) {
    this.#carrier = carrier;
    this.#limits = limits;
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#waiting === null && this.hasRoom;
  }

  open(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.isOpen) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#delete(waiter);
        reject(signal?.reason);
      };
      const settled = () => signal?.removeEventListener('abort', stop);
      const waiter: Waiter = {
        resolve: () => {
          settled();
          resolve();
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.#waiting ??= new Set();
      this.#waiting.add(waiter);
      this.#lookSoon();
    });
  }

  get hasRoom(): boolean {
    return this.#carrier.waitingBytes < this.#limits.highWaterBytes;
  }

  #delete(waiter: Waiter): void {
    this.#waiting?.delete(waiter);
    if (this.#waiting?.size === 0) this.#waiting = null;
  }

  #look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#carrier.isOpen) this.#giveUp();
    if (this.#waiting === null || this.hasRoom) {
      this.#shutSince = 0;
      this.#letOneIn();
      return;
    }
    const now = this.#clock.now();
    this.#shutSince ||= now;
    if (this.#carrier.waitingBytes > this.#limits.slowBytes || now - this.#shutSince > this.#limits.slowAfterMs) {
      this.#carrier.cutOff();
      this.#giveUp();
    } else {
      this.#lookLater(now - this.#shutSince);
    }
  }

  #lookLater(shutMs: number): void {
    this.#timer ??= setTimeout(() => this.#look(), Math.min(POLL_MAX_MS, POLL_MS + shutMs * POLL_SHARE));
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#carrier.whenDrained?.(() => {
      this.#awaitsDrain = false;
      if (this.#waiting) this.#look();
    });
  }

  /** What was written in this turn may be gone when it is over. */
  #lookSoon(): void {
    if (this.#isLookingSoon || this.#timer) return;
    this.#isLookingSoon = true;
    setImmediate(() => {
      this.#isLookingSoon = false;
      if (!this.#timer) this.#look();
    });
  }

  /** One at a time: each writes before the next one looks, or a hundred feeds would all fill the same room. */
  #letOneIn(): void {
    for (const first of this.#waiting ?? []) {
      this.#delete(first);
      first.resolve();
      this.#lookSoon();
      return;
    }
  }

  #giveUp(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const waiter of waiting) waiter.reject(new Error('the socket is closed'));
  }
}
