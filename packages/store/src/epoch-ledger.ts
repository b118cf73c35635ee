import type { EpochLedger, EpochLock, LogServerIdentity } from '@parley/domain';
import type { Database } from './database.ts';
import { readCursors } from './drain-store.ts';
import { statement } from './statement.ts';

const OPEN_EPOCH = statement('open-epoch');
const OPENED_ON = statement('opened-on');

/** Any number, the same for ever. */
const EPOCH_LOCK = 7_046_882;
const LOCK_TIMEOUT_MS = 5_000;
/** A process that stalls under the lock loses it after this time: nobody can send while an epoch is being opened. */
const HELD_MAX_MS = 15_000;

const LOCKING = [
  `set local lock_timeout = ${LOCK_TIMEOUT_MS}`,
  `set local statement_timeout = ${2 * LOCK_TIMEOUT_MS}`,
  `set local idle_in_transaction_session_timeout = ${HELD_MAX_MS}`,
  `select pg_advisory_xact_lock(${EPOCH_LOCK})`,
];

interface OpenedOnRow {
  readonly run_id: string;
  readonly replication_id: string;
  readonly restored: boolean;
}

/**
 * Names epochs. The lock belongs to a transaction on a connection of its own, which nothing else happens on: it is also right behind
 * a pooler, and it ends with the process, while the epoch is committed on another connection long before the lock is given back.
 */
export function epochLedger(database: Database): EpochLedger {
  // Who waits for the lock holds a connection, and who has it needs a second one: many of a process would wait for each other.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    locked: (work) => {
      const mine = turn.then(() => lockedIn(database, work));
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

async function lockedIn<T>(database: Database, work: (lock: EpochLock) => Promise<T>): Promise<T> {
  // What the work throws is not the database's.
  const [outcome] = await database.during('epoch-lock', LOCKING, async () => {
    const state = await epochLock(database);
    return Promise.allSettled([work(state)]);
  });
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

async function epochLock(database: Database): Promise<EpochLock> {
  const [cursors, [opened]] = await Promise.all([readCursors(database), database.query<OpenedOnRow>(OPENED_ON)]);
  const restored = opened?.restored ?? false;
  return {
    cursors,
    openedOn: opened ? { runId: opened.run_id, replicationId: opened.replication_id } : null,
    restored,
    open: (server, options) => openEpoch(database, server, restored || options?.lost === true),
  };
}

async function openEpoch(database: Database, server: LogServerIdentity, lost: boolean): Promise<number> {
  const { runId, replicationId } = server;
  const [row] = await database.query<{ epoch: number }>(OPEN_EPOCH, [runId, replicationId, lost]);
  if (!row) throw new Error('log_partition has no rows: the migrations did not run');
  return row.epoch;
}
