import { comparePositions, type Position } from '@parley/protocol';
import type { ChatApi } from './chat-api.ts';
import type { ClientClock } from './clock.ts';
import { failureOf } from './failure.ts';
import { type Random, retryDelayMs } from './retry-delay.ts';

/** Reading on moves the cursor at most this often. */
const GATHER_MS = 400;

interface Cursor {
  /** As far as this client has read. */
  wanted: Position;
  attempts: number;
  isMoving: boolean;
}

/**
 * How far this user has read, per channel. It only rises here; a server that says less, because its store forgot, is told again.
 */
export class ReadCursors {
  readonly #api: ChatApi;
  readonly #clock: ClientClock;
  readonly #random: Random;
  readonly #cursors = new Map<string, Cursor>();

  constructor(options: { api: ChatApi; clock: ClientClock; random: Random }) {
    this.#api = options.api;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Everything up to this position is read. A lower one than before changes nothing. */
  mark(channelId: string, position: Position): void {
    const cursor = this.#cursors.get(channelId);
    if (cursor && comparePositions(position, cursor.wanted) <= 0) return;
    const moved = cursor ?? { wanted: position, attempts: 0, isMoving: false };
    moved.wanted = position;
    this.#cursors.set(channelId, moved);
    this.#move(channelId, moved, GATHER_MS);
  }

  /** The server's cursor stands here: further when another device read on, lower when it forgot. */
  told(channelId: string, readTo: Position | null): void {
    const cursor = this.#cursors.get(channelId);
    if (!cursor) return;
    const order = readTo === null ? 1 : comparePositions(cursor.wanted, readTo);
    if (order < 0 && readTo !== null) cursor.wanted = readTo;
    if (order > 0) this.#move(channelId, cursor, GATHER_MS);
  }

  #move(channelId: string, cursor: Cursor, inMs: number): void {
    if (cursor.isMoving) return;
    cursor.isMoving = true;
    this.#clock.after(inMs, () => void this.#send(channelId, cursor));
  }

  async #send(channelId: string, cursor: Cursor): Promise<void> {
    const position = cursor.wanted;
    let againInMs: number | null = null;
    try {
      await this.#api.call('receipt.read', { channelId, position });
      cursor.attempts = 0;
      if (cursor.wanted !== position) againInMs = GATHER_MS;
    } catch (error) {
      const failure = failureOf(error);
      if (failure && !failure.retryable) {
        // A position that the server does not know, or a channel that is gone: reading on starts anew.
        this.#cursors.delete(channelId);
        return;
      }
      againInMs = (failure?.retryAfterMs ?? 0) + retryDelayMs(cursor.attempts, this.#random);
      cursor.attempts += 1;
    }
    cursor.isMoving = false;
    if (againInMs !== null) this.#move(channelId, cursor, againInMs);
  }
}
