import { decodeEntry, type WritableEntry } from './drain-entry.ts';
import type { LoggedEntry, PartitionRead } from './ports/drain.ts';
import type { PartitionCursor } from './ports/ledger.ts';

/** The k of the first entry of an epoch: a stream numbers `epoch-*` from 0. */
export const FIRST_K = 0;

/**
 * Why a partition cannot simply go on. `epoch`: the log store's epoch is missing or not the one that Postgres opened.
 * `gap`: entries of the current epoch are missing from the log.
 */
export interface DrainFault {
  readonly partition: number;
  readonly epoch: number;
  readonly fault: 'epoch' | 'gap';
}

/** What one read of a lane asks to be done, in this order: settle what is old, write what can be written, mend the faults. */
export interface DrainPlan {
  /** At or before the cursor: committed, but its settlement was lost with a worker, or is under way in another. */
  readonly committed: readonly WritableEntry[];
  /** To be written, in the log's order within each partition. */
  readonly entries: readonly WritableEntry[];
  /** One for each partition that waits for a newer worker. */
  readonly waiting: readonly { readonly partition: number; readonly v: number }[];
  readonly faults: readonly DrainFault[];
}

/** Sorts what was read from the very beginning of each partition's log. */
export function planDrain(reads: readonly PartitionRead[], cursors: ReadonlyMap<number, PartitionCursor>): DrainPlan {
  const plan = {
    committed: [] as WritableEntry[],
    entries: [] as WritableEntry[],
    waiting: [] as { partition: number; v: number }[],
    faults: [] as DrainFault[],
  };
  for (const read of reads) {
    const cursor = cursors.get(read.partition);
    if (cursor) planPartition(plan, read, cursor);
  }
  return plan;
}

type Draft = { [K in keyof DrainPlan]: DrainPlan[K][number][] };

function planPartition(plan: Draft, read: PartitionRead, cursor: PartitionCursor): void {
  const { partition, epoch } = cursor;
  // An epoch that Postgres did not open may be a zombie's: not one of its entries is touched.
  if (read.epoch !== epoch) {
    plan.faults.push({ partition, epoch, fault: 'epoch' });
    return;
  }
  let last = { epoch: cursor.readEpoch, k: cursor.readK };
  for (const logged of read.entries) {
    const entry = decodeEntry(logged);
    if (entry.type === 'newer') {
      // Also at or before the cursor: only who could write it knows what its settlement is.
      plan.waiting.push({ partition, v: entry.v });
      return;
    }
    if (!isAfter(logged, cursor)) {
      plan.committed.push(entry);
      continue;
    }
    const fault = logged.epoch > epoch ? 'epoch' : logged.epoch === epoch && !follows(logged, last) ? 'gap' : null;
    if (fault) {
      plan.faults.push({ partition, epoch, fault });
      return;
    }
    plan.entries.push(entry);
    last = logged;
  }
}

function isAfter(logged: LoggedEntry, cursor: PartitionCursor): boolean {
  return logged.epoch > cursor.readEpoch || (logged.epoch === cursor.readEpoch && logged.k > cursor.readK);
}

function follows(logged: LoggedEntry, last: { epoch: number; k: number }): boolean {
  return logged.k === (logged.epoch === last.epoch ? last.k + 1 : FIRST_K);
}
