import type { EpochLedger } from '@parley/domain';

/**
 * Ends an epoch that cannot be trusted any more although the log store and Postgres agree on it, as after a restored Postgres that still
 * has the identity of the lost one. Afterwards the two differ, so that whoever renews opens the next. Does nothing when somebody already did.
 */
export function leaveEpoch(ledger: EpochLedger, epoch: number): Promise<void> {
  return ledger.locked(async ({ cursors, openedOn, open }) => {
    if (openedOn && cursors.every((cursor) => cursor.epoch === epoch)) await open(openedOn, { lost: true });
  });
}
