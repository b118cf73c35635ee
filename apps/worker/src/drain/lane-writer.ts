import {
  buildBatch,
  type ChannelSets,
  type Clock,
  type DrainLog,
  type DrainResult,
  type DrainStore,
  ENTRY_KINDS,
  type EntrySpot,
  type EpochLedger,
  type Hole,
  halvesOf,
  laterOf,
  type PartitionCursor,
  PoisonError,
  placesOf,
  rejectEntry,
  settlementsOf,
  type WritableEntry,
} from '@parley/domain';
import type { Log } from '@parley/runtime';
import type { DrainMetrics } from './drain-metrics.ts';

/** What every lane of a process works with. */
export interface DrainParts {
  readonly log: DrainLog;
  readonly store: DrainStore;
  readonly ledger: EpochLedger;
  readonly sets: ChannelSets;
  readonly clock: Clock;
  readonly metrics: DrainMetrics;
  readonly logger: Log;
  /** Told of channels with messages that Postgres has now, at least once. It must not throw, and must cost next to nothing. */
  readonly onCommitted?: (channelIds: Iterable<string>) => void;
  /** For the control of the loss tests only: entries leave the log before Postgres has them. */
  readonly unsafeTrimBeforeCommit: boolean;
}

/** Commits entries and settles them, and keeps the cursors of one lane up to date while it does. */
export class LaneWriter {
  readonly #parts: DrainParts;
  readonly #cursors: Map<number, PartitionCursor>;

  /** `cursors` is shared with the reader: a partition that leaves it must be read again before anything of it is written. */
  constructor(parts: DrainParts, cursors: Map<number, PartitionCursor>) {
    this.#parts = parts;
    this.#cursors = cursors;
  }

  /** Writes the entries in their order; returns how many were written. What another worker has moved meanwhile is left to him. */
  async write(entries: readonly WritableEntry[]): Promise<number> {
    const ours = entries.filter((entry) => this.#cursors.has(entry.logged.partition));
    if (ours.length === 0) return 0;
    if (this.#parts.unsafeTrimBeforeCommit) await this.#settle(ours, []);
    const result = await this.#commit(ours);
    if (result instanceof PoisonError) return this.#writeApart(ours, result);
    const written = ours.filter((entry) => result.moved.has(entry.logged.partition));
    this.#moveCursors(ours, result);
    this.#count(written, result);
    await this.#settle(written, result.superseded);
    this.#parts.onCommitted?.(channelsOf(written));
    return written.length;
  }

  /**
   * Settles what was committed by somebody who did not live, or was not able, to settle it. What the cursor has passed and nobody
   * committed, since the cursor was another server's, is written first: to call it persisted would be the end of it.
   */
  async settleLate(entries: readonly WritableEntry[]): Promise<void> {
    const { store, metrics } = this.#parts;
    const absent = new Set((await store.absentAmong(placesOf(entries))).map(nameOf));
    const isAbsent = (entry: WritableEntry) => placesOf([entry]).some((spot) => absent.has(nameOf(spot)));
    const [passed, committed] = [entries.filter(isAbsent), entries.filter((entry) => !isAbsent(entry))];
    // Another worker was faster: he has read the log, too.
    if (passed.length > 0 && (await this.write(passed.map(asLate))) < passed.length) return;
    if (committed.length === 0) return;
    const partitions = await this.#settle(committed, await store.holesAmong(placesOf(committed)));
    this.#parts.onCommitted?.(channelsOf(committed));
    metrics.lateSettlements.inc(partitions);
  }

  async #commit(entries: readonly WritableEntry[]): Promise<DrainResult | PoisonError> {
    const stop = this.#parts.metrics.commits.startTimer();
    try {
      return await this.#parts.store.commit(buildBatch(entries, this.#cursors));
    } catch (error) {
      if (error instanceof PoisonError) return error;
      throw error;
    } finally {
      stop();
    }
  }

  /** One refused entry refuses its whole statement: halve until it stands alone, and go on with the rest. */
  async #writeApart(entries: readonly WritableEntry[], poison: PoisonError): Promise<number> {
    const [only] = entries;
    if (only && entries.length === 1) return this.#bury(only, poison);
    let written = 0;
    for (const half of halvesOf(entries)) written += await this.write(half);
    return written;
  }

  async #bury(entry: WritableEntry, poison: PoisonError): Promise<number> {
    const { partition, epoch, k } = entry.logged;
    if (entry.type === 'rejected' && entry.hole === null) {
      throw new Error(`Postgres refuses even the dead letter of ${partition}/${epoch}-${k}`, { cause: poison });
    }
    const written = await this.write([rejectEntry(entry, poison.message)]);
    if (written > 0) this.#parts.logger.error({ err: poison, partition, epoch, k }, 'an entry became a dead letter');
    return written;
  }

  #moveCursors(entries: readonly WritableEntry[], { moved }: DrainResult): void {
    for (const { logged } of entries) {
      const { partition } = logged;
      const cursor = this.#cursors.get(partition);
      const to = cursor && moved.has(partition) ? laterOf(cursor, logged) : null;
      if (cursor && to) this.#cursors.set(partition, { ...cursor, readEpoch: to.toEpoch, readK: to.toK });
      else if (this.#cursors.delete(partition)) this.#parts.metrics.contended.inc();
    }
  }

  #count(written: readonly WritableEntry[], { superseded }: DrainResult): void {
    const { metrics } = this.#parts;
    for (const [kind, entries] of Map.groupBy(written, (entry) => entry.type))
      metrics.entries.inc({ kind }, entries.length);
    for (const entry of written) if (entry.type === 'created') metrics.persisted(entry.place.at);
    if (superseded.length > 0) metrics.entries.inc({ kind: 'superseded' }, superseded.length);
    metrics.deadLetters.inc(written.filter((entry) => entry.type === 'rejected').length);
  }

  async #settle(entries: readonly WritableEntry[], holes: readonly Hole[]): Promise<number> {
    const settlements = settlementsOf(entries, holes);
    // Before anybody hears that it is persisted: who reads then must not find his set as it was.
    await this.#parts.sets.changed([...new Set(entries.flatMap(movedUser))]);
    await Promise.all(settlements.map((settlement) => this.#parts.log.settle(settlement)));
    return settlements.length;
  }
}

/** Words are as good late as in time; a change would undo what came after it. */
function asLate(entry: WritableEntry): WritableEntry {
  return entry.type === 'created' ? entry : rejectEntry(entry, 'another log store went on before this was persisted');
}

function nameOf({ channelId, position }: EntrySpot): string {
  return `${channelId} ${position}`;
}

/** Who came to a channel or left it by this entry. */
function movedUser(entry: WritableEntry): string[] {
  return entry.type === 'member' && entry.kind !== ENTRY_KINDS.updated ? [entry.payload.userId] : [];
}

/** Channels in which something was said. */
function channelsOf(entries: readonly WritableEntry[]): Set<string> {
  return new Set(entries.flatMap((entry) => (entry.type === 'created' ? [entry.payload.channelId] : [])));
}
