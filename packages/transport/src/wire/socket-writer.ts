import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { frameOf } from './frame.ts';
import type { Outgoing, Outlet } from './outlet.ts';

interface SocketWriterOptions {
  readonly ws: WebSocket;
  /** What the WebSocket runs on. */
  readonly socket: Duplex;
  readonly outlet: Outlet;
  /** Ends it because its reader is too slow. */
  onSlow(): void;
}

/**
 * Writes whole frames to a socket, past the sender of ws: nothing of a frame is copied or looked at again. The two can be used beside
 * each other, since ws writes each of its frames in one turn, too, as long as it does not compress.
 */
export class SocketWriter implements Outgoing {
  readonly #options: SocketWriterOptions;
  readonly #socket: Duplex;
  readonly #outlet: Outlet;
  #first: Buffer | null = null;
  #others: Buffer[] | null = null;
  #queuedBytes = 0;

  constructor(options: SocketWriterOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#outlet = options.outlet;
  }

  get waitingBytes(): number {
    return this.#socket.writableLength + this.#queuedBytes;
  }

  get isOpen(): boolean {
    const { ws } = this.#options;
    return ws.readyState === ws.OPEN;
  }

  /** Sends a message when this turn is over, behind what was sent before. Dropped once the socket closes. */
  send(message: string | Uint8Array): void {
    this.write(frameOf(message));
  }

  /** The same with a frame, which must not change any more. */
  write(frame: Buffer): void {
    if (this.#first === null) {
      this.#first = frame;
      this.#outlet.due(this);
    } else if (this.#others === null) {
      this.#others = [this.#first, frame];
    } else {
      this.#others.push(frame);
    }
    this.#queuedBytes += frame.length;
  }

  /** To be called before a close frame, too: it would overtake what waits. */
  flush(): void {
    const frames = this.#others ?? this.#first;
    const bytes = this.#queuedBytes;
    this.#first = null;
    this.#others = null;
    this.#queuedBytes = 0;
    if (frames === null || !this.isOpen) return;
    const isOne = !Array.isArray(frames);
    this.#socket.write(isOne ? frames : Buffer.concat(frames, bytes));
    this.#outlet.sent(isOne ? 1 : frames.length, bytes);
  }

  whenDrained(callback: () => void): void {
    this.#socket.once('drain', callback);
  }

  cutOff(): void {
    this.#options.onSlow();
  }
}
