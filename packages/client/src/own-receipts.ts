import type { Message, Position } from '@parley/protocol';
import type { ChatApi } from './chat-api.ts';
import type { ClientClock } from './clock.ts';
import { OwnCursors } from './own-cursors.ts';
import type { Random } from './retry-delay.ts';

/** Reading on is told at most this often. */
const READ_GATHER_MS = 400;
/** What arrived is told at most this often: later than what was read, for that was delivered, too. */
const DELIVERED_GATHER_MS = 2_000;

/** What of the others' messages has come to this device, and what of it was read. */
export class OwnReceipts {
  readonly #read: OwnCursors;
  readonly #delivered: OwnCursors;

  constructor(options: { api: ChatApi; clock: ClientClock; random: Random }) {
    const { api } = options;
    this.#read = new OwnCursors({
      ...options,
      gatherMs: READ_GATHER_MS,
      move: (channelId, position) => api.call('receipt.read', { channelId, position }),
    });
    this.#delivered = new OwnCursors({
      ...options,
      gatherMs: DELIVERED_GATHER_MS,
      move: async (channelId, position) => {
        if (!this.#read.covers(channelId, position)) await api.call('receipt.delivered', { channelId, position });
      },
    });
  }

  /** Everything up to here is read. */
  read(channelId: string, position: Position): void {
    this.#read.mark(channelId, position);
  }

  /** The server's read cursor stands here. */
  told(channelId: string, readTo: Position | null): void {
    this.#read.told(channelId, readTo);
  }

  /** A message has come, and with it everything before. Of his own messages the sender's cursor needs no telling. */
  arrived({ channelId, senderId, position }: Message, selfId: string | null): void {
    if (senderId !== selfId) this.#delivered.mark(channelId, position);
  }
}
