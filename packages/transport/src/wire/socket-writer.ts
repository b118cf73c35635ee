import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { frameOf } from './frame.ts';
import type { Outgoing, Outlet, Run } from './outlet.ts';
import type { Publication, RequestHead } from './publication.ts';

/** Far below what a socket may leave waiting before it counts as full. */
const CLEAR_BYTES = 8_192;

interface SocketWriterOptions {
  readonly ws: WebSocket;
  /** What the WebSocket runs on. */
  readonly socket: Duplex;
  readonly outlet: Outlet;
  /** Ends it because its reader is too slow. */
  onSlow(ws: WebSocket, socket: Duplex): void;
}

/**
 * Writes whole frames to a socket, past the sender of ws: what a turn brings is copied once, into the one piece that is written. The two
 * can be used beside each other, since ws writes each of its frames in one turn, too, as long as it does not compress.
 */
export class SocketWriter implements Outgoing {
  // Flat, as all that a delivery touches: with thousands of sockets each object on the way is one more that is in no cache.
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #outlet: Outlet;
  readonly #onSlow: SocketWriterOptions['onSlow'];
  /** The first frame that waits for the end of the turn: a whole one, or a publication with the head that makes a frame of it. */
  #first: Buffer | Publication | null = null;
  #firstHead: RequestHead | null = null;
  /** Those behind it, each with its head (`#push`). Flat: an object for each would be garbage for each delivery. Most turns have none. */
  #others: (Buffer | Publication | RequestHead | null)[] | null = null;
  readonly #isSystems: boolean;
  #frames = 0;
  #queuedBytes = 0;
  /** The system did not take all of what was written last. */
  #isBehind = false;

  constructor({ ws, socket, outlet, onSlow }: SocketWriterOptions) {
    this.#ws = ws;
    this.#socket = socket;
    this.#outlet = outlet;
    this.#onSlow = onSlow;
    this.#isSystems = socket instanceof Socket;
  }

  get waitingBytes(): number {
    return this.#socket.writableLength + this.#queuedBytes;
  }

  /** That hardly anything waits, told without a look at the socket. */
  get isClear(): boolean {
    return !this.#isBehind && this.#queuedBytes < CLEAR_BYTES;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  /** Sends a message when this turn is over, behind what was sent before. Dropped once the socket closes. */
  send(message: string | Uint8Array): void {
    const frame = frameOf(message);
    this.#push(frame, null, frame.length);
  }

  /** The same with a publication, whose frame to this request takes so many bytes. */
  publish(publication: Publication, head: RequestHead, bytes: number): void {
    this.#push(publication, head, bytes);
  }

  /** To be called before a close frame, too: it would overtake what waits. */
  flush(): void {
    const first = this.#first;
    if (first === null) return;
    if (this.isOpen) {
      if (this.#others === null && Buffer.isBuffer(first)) this.#socket.write(first);
      else this.#writeTogether(first);
      this.#isBehind = this.#socket.writableLength > 0;
      this.#outlet.sent(this.#frames, this.#queuedBytes);
    }
    this.#first = null;
    this.#firstHead = null;
    this.#others = null;
    this.#frames = 0;
    this.#queuedBytes = 0;
  }

  whenDrained(callback: () => void): void {
    this.#socket.once('drain', callback);
  }

  cutOff(): void {
    this.#onSlow(this.#ws, this.#socket);
  }

  #push(frame: Buffer | Publication, head: RequestHead | null, bytes: number): void {
    this.#queuedBytes += bytes;
    if (++this.#frames === 1) {
      this.#first = frame;
      this.#firstHead = head;
      this.#outlet.due(this);
    } else {
      this.#others ??= [];
      this.#others.push(frame, head);
    }
  }

  #writeTogether(first: Buffer | Publication): void {
    const run = { first, firstHead: this.#firstHead, others: this.#others ?? NONE };
    // Other streams than the system's may keep what they have been given.
    if (!this.#isSystems) {
      const piece = Buffer.allocUnsafe(this.#queuedBytes);
      putAll(run, piece);
      this.#socket.write(piece);
      return;
    }
    this.#socket.write(this.#outlet.again(run) ?? this.#putOnSheet(run));
    // What the system did not take at once is still being read from there.
    if (this.#socket.writableLength > 0) this.#outlet.keepSheet();
  }

  #putOnSheet(run: FrameRun): Buffer {
    const sheet = this.#outlet.sheet(this.#queuedBytes);
    return this.#outlet.written(run, sheet, putAll(run, sheet));
  }
}

const NONE: readonly never[] = [];

interface FrameRun extends Run {
  readonly first: Buffer | Publication;
  readonly firstHead: RequestHead | null;
  readonly others: readonly (Buffer | Publication | RequestHead | null)[];
}

/** Gives where they end. */
function putAll({ first, firstHead, others }: FrameRun, sheet: Buffer): number {
  let end = put(first, firstHead, { sheet, at: 0 });
  for (let i = 0; i < others.length; i += 2) {
    end = put(others[i] as Buffer | Publication, others[i + 1] as RequestHead | null, { sheet, at: end });
  }
  return end;
}

/** Writes a frame, and gives where it ends. Only a publication comes with a head: hence the casts, which cost nothing where a look would. */
function put(
  frame: Buffer | Publication,
  head: RequestHead | null,
  { sheet, at }: { readonly sheet: Buffer; readonly at: number },
): number {
  if (head !== null) return (frame as Publication).write(head, sheet, at);
  sheet.set(frame as Buffer, at);
  return at + (frame as Buffer).length;
}
