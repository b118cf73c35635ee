import {
  type DrainFault,
  type PartitionCursor,
  type PartitionRead,
  planDrain,
  type WritableEntry,
} from '@parley/domain';
import { backoffMs } from '@parley/runtime';
import { type DrainParts, LaneWriter } from './lane-writer.ts';
import { leaveEpoch } from './leave-epoch.ts';

/** A lane drains at once, and then not again within this time: batches grow with the load, and nobody waits when there is none. */
const PACE_MS = 50;
/** Never long: after an outage of the log store, sends wait for the headers of the new epoch, and those for this drain. */
const OUTAGE_BACKOFF = { firstMs: 250, maxMs: 2_000 };
/** Entries that one statement carries, about. */
const BATCH_ENTRIES = 500;
const PARTITION_ENTRIES_MIN = 16;
/** Two rounds lost in a row: another worker is at it. One may only mean that our cursors were old. */
const CONTENDED_ROUNDS_MAX = 2;

/**
 * How a drain ended. `empty`: nothing was left. `busy`: its time was over. `contended`: another worker drains this lane.
 * `stopped`: the process ends.
 */
export type DrainOutcome = 'empty' | 'busy' | 'contended' | 'stopped';

/** `full`: there was more than could be read at once. */
type Round = 'nothing' | 'some' | 'full' | 'contended';

/**
 * One lane in one process: at most one drain at a time. It never fails: a store that is away is tried again for as long as it takes.
 * The log is read from its very beginning, not from the cursor: what stands at or before the cursor was committed and never settled,
 * by a worker that died between the two, and would else stay for ever, its senders waiting for `persisted`.
 */
export class Lane {
  readonly #partitions: readonly number[];
  readonly #parts: DrainParts;
  readonly #cursors = new Map<number, PartitionCursor>();
  readonly #writer: LaneWriter;
  readonly #stopping = new AbortController();
  #running: Promise<DrainOutcome> | undefined;
  #askedAgain = false;
  #until = 0;
  #nextAt = 0;
  /** Partitions that had entries when any had. All of them at first and after a failure: there may be a backlog in each. */
  #busyPartitions: number;
  #faultyRounds = 0;

  constructor(partitions: readonly number[], parts: DrainParts) {
    this.#partitions = partitions;
    this.#parts = parts;
    this.#writer = new LaneWriter(parts, this.#cursors);
    this.#busyPartitions = partitions.length;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Drains until the lane is empty, or for about `forMs`. Whatever is in the log when this is called is read by this drain. */
  drain(forMs: number): Promise<DrainOutcome> {
    this.#until = Math.max(this.#until, this.#parts.clock.now() + forMs);
    this.#askedAgain = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#until = 0;
    });
    return this.#running;
  }

  /** Ends the drain after the statement under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<DrainOutcome> {
    const { clock } = this.#parts;
    let failures = 0;
    let contended = 0;
    for (;;) {
      if (!(await this.#rest(this.#nextAt - clock.now()))) return 'stopped';
      this.#askedAgain = false;
      this.#nextAt = clock.now() + PACE_MS;
      try {
        const round = await this.#round();
        failures = 0;
        contended = round === 'contended' ? contended + 1 : 0;
        if (round === 'full') this.#nextAt = 0;
        if (round === 'nothing' && !this.#askedAgain) return 'empty';
      } catch (error) {
        failures++;
        this.#failed(error, failures);
      }
      if (contended >= CONTENDED_ROUNDS_MAX) return 'contended';
      // During an outage the drain stays: were it to end, the next doorbell would begin another one without a pause.
      if (failures === 0 && clock.now() >= this.#until) return 'busy';
    }
  }

  #failed(error: unknown, failures: number): void {
    const { clock, logger, metrics } = this.#parts;
    // The outcome of a statement that failed is unknown: only Postgres knows where its cursors are.
    this.#cursors.clear();
    // It may have been the read, with more in it than the log store could send in time: that would fail the same way for ever.
    this.#busyPartitions = this.#partitions.length;
    const pauseMs = backoffMs(failures, OUTAGE_BACKOFF);
    this.#nextAt = clock.now() + pauseMs;
    metrics.failures.inc();
    logger.warn({ err: error, failures, pauseMs }, 'draining a lane failed; it is tried again');
  }

  /** False when the process ends meanwhile. */
  async #rest(ms: number): Promise<boolean> {
    const { signal } = this.#stopping;
    if (ms > 0 && !signal.aborted) await this.#parts.clock.sleep(ms, signal).catch(() => undefined);
    return !signal.aborted;
  }

  async #round(): Promise<Round> {
    if (this.#cursors.size < this.#partitions.length) await this.#readCursors();
    const cursors = [...this.#cursors.values()];
    const count = shareOf(this.#busyPartitions);
    const reads = await this.#parts.log.read(cursors.map(fromTheBeginning), count);
    const nonEmpty = reads.filter((read) => read.entries.length > 0);
    if (nonEmpty.length > 0) this.#busyPartitions = nonEmpty.length;
    const share = shareOf(nonEmpty.length);
    const plan = planDrain(
      reads.map((read) => firstOf(read, share)),
      this.#cursors,
    );
    if (plan.committed.length > 0) await this.#writer.settleLate(plan.committed);
    const contended = await this.#write(plan.entries);
    this.#parts.metrics.waiting.inc(plan.waiting.length);
    await this.#mend(plan.faults);
    if (contended) return 'contended';
    if (plan.committed.length + plan.entries.length + plan.faults.length === 0) return 'nothing';
    return nonEmpty.some((read) => read.entries.length >= Math.min(count, share)) ? 'full' : 'some';
  }

  async #readCursors(): Promise<void> {
    const ours = new Set(this.#partitions);
    const found = (await this.#parts.store.cursors()).filter((cursor) => ours.has(cursor.partition));
    if (found.length < ours.size) throw new Error(`${ours.size - found.length} partitions have no cursor in Postgres`);
    for (const cursor of found) this.#cursors.set(cursor.partition, cursor);
  }

  async #write(entries: readonly WritableEntry[]): Promise<boolean> {
    return entries.length > 0 && (await this.#writer.write(entries)) === 0;
  }

  /** A fault is real when the cursor has not moved since before the log was read: else another worker was faster, and nothing is wrong. */
  async #mend(faults: readonly DrainFault[]): Promise<void> {
    if (faults.length === 0) {
      this.#faultyRounds = 0;
      return;
    }
    const before = faults.map(({ partition }) => this.#cursors.get(partition));
    await this.#readCursors();
    const real = faults.filter(({ partition }, i) => isSame(before[i], this.#cursors.get(partition)));
    if (real.length === 0) return;
    const { ledger, log, logger, metrics } = this.#parts;
    for (const { fault } of real) metrics.faults.inc({ fault });
    logger.warn({ faults: real }, 'the log and Postgres disagree: the epoch is renewed');
    const gap = real.find(({ fault }) => fault === 'gap');
    if (gap) await leaveEpoch(ledger, gap.epoch);
    await log.renew();
    this.#cursors.clear();
    this.#faultyRounds++;
    if (this.#faultyRounds > 1)
      throw new Error(`the epoch was renewed, but ${real.length} partitions are still broken`);
  }
}

/** What each of the busy partitions may add to a batch. A backlog in one must not starve the others, nor the other way round. */
function shareOf(busyPartitions: number): number {
  return Math.max(PARTITION_ENTRIES_MIN, Math.floor(BATCH_ENTRIES / Math.max(1, busyPartitions)));
}

function fromTheBeginning(cursor: PartitionCursor): PartitionCursor {
  return { ...cursor, readEpoch: 0, readK: 0 };
}

function firstOf(read: PartitionRead, count: number): PartitionRead {
  return read.entries.length > count ? { ...read, entries: read.entries.slice(0, count) } : read;
}

function isSame(a: PartitionCursor | undefined, b: PartitionCursor | undefined): boolean {
  return a?.epoch === b?.epoch && a?.readEpoch === b?.readEpoch && a?.readK === b?.readK;
}
