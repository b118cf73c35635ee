import { type Clock, systemClock } from '@parley/runtime';

/** What is written to: a socket, or an answer that does not end. */
export interface Carrier {
  /** Bytes that wait to be sent. */
  readonly waitingBytes: number;
  readonly isOpen: boolean;
  /** Ends it because its reader is too slow. */
  cutOff(): void;
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
  readonly isOpen: boolean;
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
  const waiting = new Set<Waiter>();
  let shutSince = 0;
  let timer: NodeJS.Timeout | undefined;

  const hasRoom = () => carrier.waitingBytes < limits.highWaterBytes;

  function look(): void {
    timer = undefined;
    if (!carrier.isOpen) giveUp();
    if (waiting.size === 0 || hasRoom()) {
      shutSince = 0;
      letOneIn();
      return;
    }
    shutSince ||= clock.now();
    if (carrier.waitingBytes > limits.slowBytes || clock.now() - shutSince > limits.slowAfterMs) {
      carrier.cutOff();
      giveUp();
    } else {
      lookLater();
    }
  }

  function lookLater(): void {
    const shutMs = shutSince === 0 ? 0 : clock.now() - shutSince;
    timer ??= setTimeout(look, Math.min(POLL_MAX_MS, POLL_MS + shutMs * POLL_SHARE));
  }

  /** One at a time: each writes before the next one looks, or a hundred feeds would all fill the same room. */
  function letOneIn(): void {
    const [first] = waiting;
    if (!first) return;
    waiting.delete(first);
    first.resolve();
    setImmediate(() => {
      if (!timer) look();
    });
  }

  function giveUp(): void {
    for (const waiter of waiting) waiter.reject(new Error('the socket is closed'));
    waiting.clear();
  }

  return {
    get isOpen() {
      return waiting.size === 0 && hasRoom();
    },
    open(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (waiting.size === 0 && hasRoom()) return Promise.resolve();
      return new Promise<void>((resolve, reject) => {
        const stop = () => {
          waiting.delete(waiter);
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
        waiting.add(waiter);
        lookLater();
      });
    },
  };
}
