import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { systemClock } from '@parley/runtime';
import type { WebSocket } from 'ws';
import { closeSocket } from './close-socket.ts';
import { createGate, type Gate } from './gate.ts';
import type { DoorLimits } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Outlet } from './wire/outlet.ts';
import { SocketWriter } from './wire/socket-writer.ts';

/** Who is at the other end, in the application's words, such as `userId` and `sessionId`. */
export type Identity = Readonly<Record<string, string>>;

/** One socket, as an application sees it. */
export interface Connection {
  readonly id: string;
  readonly socket: WebSocket;
  /** Undefined until `setIdentity`. */
  readonly identity: Identity | undefined;
  /** Ends the time limit for saying who it is. Another call replaces the identity. */
  setIdentity(identity: Identity): void;
  /** Closes the socket with a code; a peer that does not answer is cut off 2 s later. */
  close(code: number, reason: string): void;
  /** Called once when the socket is gone, or at once when it is already. */
  onClose(listener: () => void): void;
  /** Counts a feed; false when the connection holds as many as it may. */
  holdFeed(): boolean;
  /** Counts one off again: once for each that was counted. */
  releaseFeed(): void;
}

/** Why a socket is not read for now. */
type HoldReason = 'context' | 'full' | 'budget';

interface ConnectionOptions {
  readonly ws: WebSocket;
  /** What the WebSocket runs on. */
  readonly socket: Duplex;
  readonly outlet: Outlet;
  readonly limits: DoorLimits;
  /** Ends it because its reader is too slow. */
  onSlow(ws: WebSocket, socket: Duplex): void;
  onIdentified(): void;
}

const NO_LISTENERS: readonly (() => void)[] = [];

/** A connection with what only its door may do. There are tens of thousands: what most do not need is made when it is needed. */
export class DoorConnection implements Connection {
  readonly writer: SocketWriter;
  readonly gate: Gate;
  readonly socket: WebSocket;
  readonly #limits: DoorLimits;
  readonly #frames: TokenBucket;
  readonly #onIdentified: () => void;
  #id: string | undefined;
  #holds: Set<HoldReason> | null = null;
  #closeListeners: readonly (() => void)[] | null = NO_LISTENERS;
  #deadline: NodeJS.Timeout | undefined;
  #identity: Identity | undefined;
  #feeds = 0;
  #contextPending = false;

  constructor({ ws, socket, outlet, limits, onSlow, onIdentified }: ConnectionOptions) {
    this.socket = ws;
    this.#limits = limits;
    this.#onIdentified = onIdentified;
    this.#frames = new TokenBucket(limits.frames, systemClock);
    this.writer = new SocketWriter({ ws, socket, outlet, onSlow });
    this.gate = createGate(this.writer, limits);
  }

  get id(): string {
    this.#id ??= randomUUID();
    return this.#id;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  setIdentity(identity: Identity): void {
    if (this.#closeListeners === null) return;
    const first = this.#identity === undefined;
    this.#identity = identity;
    this.#endDeadline();
    if (first) this.#onIdentified();
  }

  close(code: number, reason: string): void {
    this.writer.flush();
    closeSocket(this.socket, code, reason);
  }

  onClose(listener: () => void): void {
    if (this.#closeListeners === null) listener();
    // There are two at most: `push`, like a spread, makes room for seventeen.
    else this.#closeListeners = this.#closeListeners.concat(listener);
  }

  holdFeed(): boolean {
    if (this.#feeds >= this.#limits.feeds) return false;
    this.#feeds++;
    return true;
  }

  releaseFeed(): void {
    this.#feeds--;
  }

  /** Starts the time limit for saying who it is. */
  expectIdentity(onTimeout: () => void): void {
    this.#deadline = setTimeout(onTimeout, this.#limits.identityWithinMs);
  }

  /** The socket is gone. */
  ended(): void {
    this.#endDeadline();
    const listeners = this.#closeListeners ?? [];
    this.#closeListeners = null;
    for (const listener of listeners) listener();
  }

  /** While the context is being made no more than one frame is read: what waits for it must not pile up. */
  contextPending(pending: boolean): void {
    this.#contextPending = pending;
    if (!pending) this.#release('context');
  }

  /** To be called for each frame, after its answers, if any, have been written. */
  received(): void {
    if (this.#contextPending) this.#hold('context');
    const waitMs = this.#frames.take();
    if (waitMs > 0) {
      this.#hold('budget');
      setTimeout(() => this.#release('budget'), waitMs);
    }
    if (this.gate.isOpen || this.#holds?.has('full')) return;
    // Who does not read the answers gets no more questions in.
    this.#hold('full');
    const release = () => this.#release('full');
    this.gate.open().then(release, release);
  }

  #endDeadline(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #hold(reason: HoldReason): void {
    // A closing socket must go on reading: it waits for the peer's close frame.
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.#holds ??= new Set();
    this.#holds.add(reason);
    this.socket.pause();
  }

  #release(reason: HoldReason): void {
    this.#holds?.delete(reason);
    if (this.#holds && this.#holds.size > 0) return;
    this.#holds = null;
    this.socket.resume();
  }
}
