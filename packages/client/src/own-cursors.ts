import { comparePositions, type Position } from '@parley/protocol';
import type { ClientClock } from './clock.ts';
import { failureOf } from './failure.ts';
import { type Random, retryDelayMs } from './retry-delay.ts';

export interface OwnCursorsOptions {
  /** Tells the server. */
  readonly move: (channelId: string, position: Position) => Promise<unknown>;
  /** A cursor that moves on is told at most this often. */
  readonly gatherMs: number;
  readonly clock: ClientClock;
  readonly random: Random;
}

interface Cursor {
  /** As far as this client has come. */
  wanted: Position;
  attempts: number;
  isMoving: boolean;
}

/**
 * How far this user has read, or was delivered to, per channel. It only rises here; a server that says less, because its store forgot,
 * is told again.
 */
export class OwnCursors {
  readonly #options: OwnCursorsOptions;
  readonly #cursors = new Map<string, Cursor>();

  constructor(options: OwnCursorsOptions) {
    this.#options = options;
  }

  /** Whether the cursor is here or further, told or about to be. */
  covers(channelId: string, position: Position): boolean {
    const cursor = this.#cursors.get(channelId);
    return cursor !== undefined && comparePositions(position, cursor.wanted) <= 0;
  }

  /** Everything up to this position counts. A lower one than before changes nothing. */
  mark(channelId: string, position: Position): void {
    if (this.covers(channelId, position)) return;
    const moved = this.#cursors.get(channelId) ?? { wanted: position, attempts: 0, isMoving: false };
    moved.wanted = position;
    this.#cursors.set(channelId, moved);
    this.#move(channelId, moved, this.#options.gatherMs);
  }

  /** The server's cursor stands here: further when another device read on, lower when it forgot. */
  told(channelId: string, readTo: Position | null): void {
    const cursor = this.#cursors.get(channelId);
    if (!cursor) return;
    const order = readTo === null ? 1 : comparePositions(cursor.wanted, readTo);
    if (order < 0 && readTo !== null) cursor.wanted = readTo;
    if (order > 0) this.#move(channelId, cursor, this.#options.gatherMs);
  }

  #move(channelId: string, cursor: Cursor, inMs: number): void {
    if (cursor.isMoving) return;
    cursor.isMoving = true;
    this.#options.clock.after(inMs, () => void this.#send(channelId, cursor));
  }

  async #send(channelId: string, cursor: Cursor): Promise<void> {
    const position = cursor.wanted;
    let againInMs: number | null = null;
    try {
      await this.#options.move(channelId, position);
      cursor.attempts = 0;
      if (cursor.wanted !== position) againInMs = this.#options.gatherMs;
    } catch (error) {
      const failure = failureOf(error);
      if (failure && !failure.retryable) {
        // A position that the server does not know, or a channel that is gone: coming further starts anew.
        this.#cursors.delete(channelId);
        return;
      }
      againInMs = (failure?.retryAfterMs ?? 0) + retryDelayMs(cursor.attempts, this.#options.random);
      cursor.attempts += 1;
    }
    cursor.isMoving = false;
    if (againInMs !== null) this.#move(channelId, cursor, againInMs);
  }
}
