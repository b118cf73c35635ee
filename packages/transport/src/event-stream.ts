import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { dropSocket } from './close-socket.ts';
import { createGate, type Gate } from './gate.ts';
import type { DoorLimits } from './limits.ts';

/** A feed over HTTP (server-sent events), as an application sees it. */
export interface StreamConnection {
  readonly id: string;
  /** Asks the client to come anew with a fresh URL, from its last event on, and ends the stream. */
  renew(): void;
  /** Ends it without a word. */
  destroy(): void;
  /** Called once when the stream is over, or at once when it is already. */
  onClose(listener: () => void): void;
}

/** Why a stream was over. */
export type StreamEnd = 'gone' | 'done' | 'renewed' | 'slow';

interface EventStreamOptions {
  readonly res: ServerResponse;
  readonly limits: Pick<DoorLimits, 'highWaterBytes' | 'slowBytes' | 'slowAfterMs'>;
  onEnd(why: StreamEnd): void;
}

/**
 * A client that is asked to come anew does so when it has heard nothing for this long, and goes on counting until it is in again: it must
 * be long enough for a new URL and a connection on a bad line.
 */
const RENEW_AFTER_MS = 3_000;
const RENEW_SPREAD_MS = 1_000;
/** A browser that lost its stream asks the same URL again, which only makes it come anew. Soon, then, but not all at once. */
const AGAIN_AFTER_MS = 500;
const AGAIN_SPREAD_MS = 1_000;
/** The same, from a client that was asked to come anew: never. */
const NOT_AGAIN_MS = 60_000;

/** Carries the events that tRPC writes to their reader: each whole, and no faster than he reads. */
export class EventStream implements StreamConnection {
  readonly id = randomUUID();
  readonly #res: ServerResponse;
  readonly #gate: Gate;
  readonly #onEnd: (why: StreamEnd) => void;
  readonly #limits: EventStreamOptions['limits'];
  readonly #over = new AbortController();
  #why: StreamEnd = 'gone';

  constructor({ res, limits, onEnd }: EventStreamOptions) {
    this.#res = res;
    this.#onEnd = onEnd;
    this.#limits = limits;
    const carrier = {
      get waitingBytes() {
        return res.writableLength;
      },
      get isOpen() {
        return !res.destroyed;
      },
      cutOff: () => {
        this.#why = 'slow';
        this.#over.abort();
        this.#drop();
      },
    };
    this.#gate = createGate(carrier, limits);
  }

  /** From now on it is known when the client leaves. */
  run(): void {
    this.#res.once('close', () => {
      this.#over.abort();
      this.#onEnd(this.#why);
    });
  }

  /** Whether its client was asked to come anew. */
  get isRenewed(): boolean {
    return this.#why === 'renewed';
  }

  renew(): void {
    if (this.#over.signal.aborted) return;
    this.#why = 'renewed';
    // Before there is an answer, this will be the answer. Later it stands between two events, for each is written whole.
    if (this.#res.headersSent) this.#sayRenew();
  }

  onClose(listener: () => void): void {
    if (this.#over.signal.aborted) listener();
    else this.#over.signal.addEventListener('abort', listener, { once: true });
  }

  /** Ends it without a word. */
  destroy(): void {
    this.#res.destroy();
  }

  /** Writes all events, while their reader keeps up. The head has been written. Resolves when nothing more can be. */
  async carry(events: ReadableStream<Uint8Array>): Promise<void> {
    const reader = events.getReader();
    const { signal } = this.#over;
    // Ends the procedure, which waits for the next event.
    const leave = () => void reader.cancel().catch(() => undefined);
    this.onClose(leave);
    if (this.isRenewed) this.#sayRenew();
    if (signal.aborted) return;
    this.#res.write(`retry: ${spread(AGAIN_AFTER_MS, AGAIN_SPREAD_MS)}\n\n`);
    try {
      for (let event = await nextEvent(reader); event && !signal.aborted; event = await nextEvent(reader)) {
        await this.#gate.open(signal);
        this.#res.write(event);
      }
      if (signal.aborted) return;
      this.#why = 'done';
      this.#end();
    } catch (error) {
      if (signal.aborted) return;
      this.#res.destroy();
      throw error;
    }
  }

  /** In the words of tRPC: a client takes its options from the last `connected` that it saw. */
  #sayRenew(): void {
    const options = { reconnectAfterInactivityMs: spread(RENEW_AFTER_MS, RENEW_SPREAD_MS) };
    this.#end(`retry: ${NOT_AGAIN_MS}\nevent: connected\ndata: ${JSON.stringify(options)}\n\n`);
    this.#over.abort();
  }

  #drop(): void {
    const { socket } = this.#res;
    if (socket) dropSocket(socket);
    this.#res.destroy();
  }

  #end(lastWords = ''): void {
    const late = setTimeout(() => this.#drop(), this.#limits.slowAfterMs);
    this.#res.once('close', () => clearTimeout(late));
    this.#res.end(lastWords);
  }
}

function spread(leastMs: number, overMs: number): number {
  return leastMs + Math.floor(Math.random() * overMs);
}

const NEWLINE = 10;

/** The bytes up to the empty line that ends an event; undefined when there are no more. */
async function nextEvent(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return parts.length > 0 ? Buffer.concat(parts) : undefined;
    parts.push(value);
    if (value.at(-1) === NEWLINE && value.at(-2) === NEWLINE) return Buffer.concat(parts);
  }
}
