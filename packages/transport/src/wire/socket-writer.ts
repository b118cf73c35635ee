import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { frameOf } from './frame.ts';
import type { Outgoing, Outlet } from './outlet.ts';
import type { Publication, RequestHead } from './publication.ts';

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
  /** Frames that wait for the end of the turn: whole ones, or publications, each before the head that makes a frame of it. */
  #queue: (Buffer | Publication | RequestHead)[] = [];
  #frames = 0;
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
    const frame = frameOf(message);
    this.#queue.push(frame);
    this.#count(frame.length);
  }

  /** The same with a publication, whose frame to this request takes so many bytes. */
  publish(publication: Publication, head: RequestHead, bytes: number): void {
    this.#queue.push(publication, head);
    this.#count(bytes);
  }

  /** To be called before a close frame, too: it would overtake what waits. */
  flush(): void {
    if (this.#frames === 0) return;
    if (this.isOpen) {
      const [first] = this.#queue;
      if (this.#frames === 1 && Buffer.isBuffer(first)) this.#socket.write(first);
      else this.#writeTogether();
      this.#outlet.sent(this.#frames, this.#queuedBytes);
    }
    this.#queue.length = 0;
    this.#frames = 0;
    this.#queuedBytes = 0;
  }

  whenDrained(callback: () => void): void {
    this.#socket.once('drain', callback);
  }

  cutOff(): void {
    this.#options.onSlow();
  }

  #count(bytes: number): void {
    this.#queuedBytes += bytes;
    if (++this.#frames === 1) this.#outlet.due(this);
  }

  #writeTogether(): void {
    // Other streams than the system's may keep what they have been given.
    const isSystems = this.#socket instanceof Socket;
    const sheet = isSystems ? this.#outlet.sheet(this.#queuedBytes) : Buffer.allocUnsafe(this.#queuedBytes);
    const queue = this.#queue;
    let end = 0;
    for (let i = 0; i < queue.length; i++) {
      const piece = queue[i];
      if (Buffer.isBuffer(piece)) {
        sheet.set(piece, end);
        end += piece.length;
      } else if (piece) {
        end = (piece as Publication).write(queue[++i] as RequestHead, sheet, end);
      }
    }
    this.#socket.write(sheet.subarray(0, end));
    // What the system did not take at once is still being read from there.
    if (this.#socket.writableLength > 0) this.#outlet.keepSheet(sheet);
  }
}
