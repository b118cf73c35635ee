import type { Archive, History } from '@parley/domain';
import { comparePositions, type Position, RESUME_MAX_ENTRIES } from '@parley/protocol';
import { NOBODY } from './view-of.ts';

/** What Postgres said of a channel after a position. */
export interface KnownHistory {
  readonly history: History;
  /** Whether it was asked for this caller: if not, it may be from a moment before his call. */
  readonly isFresh: boolean;
}

interface Flight {
  readonly after: Position;
  /** Of the view by which it was asked for. */
  readonly epoch: number;
  readonly startedAt: number;
  readonly history: Promise<History>;
}

/** Long enough for those who were cut off together, who come back within seconds. */
const KEPT_MS = 2_000;

/**
 * When all feeds of a channel come back at once they ask Postgres the same: it is asked once. An answer serves everybody whose position
 * it has, for a moment. Who finds that it does not reach as far as he knows asks again, for himself.
 */
export class RecentHistories {
  readonly #archive: Pick<Archive, 'history'>;
  readonly #clock: { now(): number };
  /** The newest of each channel, oldest first. */
  readonly #flights = new Map<string, Flight>();

  constructor(archive: Pick<Archive, 'history'>, clock: { now(): number }) {
    this.#archive = archive;
    this.#clock = clock;
  }

  /**
   * At most `RESUME_MAX_ENTRIES` after a position. `epoch` is that of a view read before this call: what was asked before the epoch had
   * its header may lack the end of the one before, which serves nobody in it. Rejects as the archive does.
   */
  async read(channelId: string, after: Position, epoch: number): Promise<KnownHistory> {
    this.#forgetOld();
    const flight = this.#flights.get(channelId);
    const usable = flight && flight.epoch >= epoch ? flight : undefined;
    const shared = usable && (await usable.history.then((history) => partAfter(history, usable.after, after), nothing));
    return shared ? { history: shared, isFresh: false } : this.readAnew(channelId, after, epoch);
  }

  /** The same, asked now. */
  async readAnew(channelId: string, after: Position, epoch: number): Promise<KnownHistory> {
    // Who may see what was read is decided elsewhere.
    const history = this.#archive.history({ channelId, userId: NOBODY, after, limit: RESUME_MAX_ENTRIES });
    this.#flights.delete(channelId);
    this.#flights.set(channelId, { after, epoch, startedAt: this.#clock.now(), history });
    return { history: await history, isFresh: true };
  }

  /** What was read may have become wrong. */
  forget(): void {
    this.#flights.clear();
  }

  #forgetOld(): void {
    for (const [channelId, { startedAt }] of this.#flights) {
      if (this.#clock.now() - startedAt < KEPT_MS) return;
      this.#flights.delete(channelId);
    }
  }
}

/** The flight failed: each asks for himself. */
const nothing = () => undefined;

/** What of a history that begins at one position follows another; undefined when it does not have that. */
function partAfter(history: History, from: Position, after: Position): History | undefined {
  if (from === after) return history;
  if (comparePositions(from, after) > 0 || history.more || history.expired || !history.known) return undefined;
  const isThere = (entry: { readonly position: Position }) => entry.position === after;
  if (!history.messages.some(isThere) && !history.changes.some(isThere)) return undefined;
  const isAfter = (entry: { readonly position: Position }) => comparePositions(entry.position, after) > 0;
  return { ...history, messages: history.messages.filter(isAfter), changes: history.changes.filter(isAfter) };
}
