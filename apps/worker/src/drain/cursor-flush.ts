import { type DrainLog, type DrainStore, PARTITIONS, type ReadCursorRow } from '@parley/domain';
import { type Clock, type Log, Loop, systemClock } from '@parley/runtime';

/** How long a cursor may wait for Postgres. */
const FLUSH_EVERY_MS = 2_000;
const PARTITION_ROWS_MAX = 500;
const STATEMENT_ROWS_MAX = 1_000;

interface CursorFlushOptions {
  readonly log: Pick<DrainLog, 'dirtyCursors' | 'cursorsFlushed'>;
  readonly store: Pick<DrainStore, 'flushCursors'>;
  readonly logger: Log;
  readonly everyMs?: number;
  readonly clock?: Clock;
}

interface Dirty {
  readonly partition: number;
  readonly rows: readonly ReadCursorRow[];
}

/** Brings moved cursors to Postgres. Every worker does it: a cursor only rises there, so twice is as good as once. */
export function createCursorFlush(options: CursorFlushOptions): Loop {
  const { log, store, logger, everyMs = FLUSH_EVERY_MS, clock = systemClock } = options;
  const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);

  async function dirtyOf(partition: number): Promise<Dirty> {
    return { partition, rows: await log.dirtyCursors(partition, PARTITION_ROWS_MAX) };
  }

  return new Loop({
    name: 'cursor flush',
    everyMs,
    clock,
    log: logger,
    async work(signal) {
      let partitions = all;
      while (partitions.length > 0 && !signal.aborted) {
        const dirty = (await Promise.all(partitions.map(dirtyOf))).filter(({ rows }) => rows.length > 0);
        const rows = dirty.flatMap((one) => one.rows);
        for (let i = 0; i < rows.length; i += STATEMENT_ROWS_MAX) {
          await store.flushCursors(rows.slice(i, i + STATEMENT_ROWS_MAX));
        }
        await Promise.all(dirty.map((one) => log.cursorsFlushed(one.partition, one.rows)));
        partitions = dirty.filter((one) => one.rows.length >= PARTITION_ROWS_MAX).map((one) => one.partition);
      }
    },
  });
}
