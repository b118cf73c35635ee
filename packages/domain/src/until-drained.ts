import { PARTITIONS } from './partition.ts';
import type { Clock } from './ports/clock.ts';
import type { Doorbell } from './ports/doorbell.ts';
import type { DrainLog } from './ports/drain.ts';

export interface DrainBarrierDeps {
  readonly drainLog: Pick<DrainLog, 'oldestAgeMs'>;
  readonly doorbell: Doorbell;
  readonly clock: Clock;
}

const PARTITION_IDS = Array.from({ length: PARTITIONS }, (_, partition) => partition);
const LOOK_EVERY_MS = 100;
/** The ages are of the store's clock, the wait is of ours; and a channel's times may stand still. */
const SLACK_MS = 1_000;

/**
 * Resolves when everything that is in the log at the time of the call is in Postgres; under load it knows so a second later. Waits as
 * long as that takes. Rejects with the signal's reason when it is aborted.
 */
export function untilDrained({ drainLog, doorbell, clock }: DrainBarrierDeps) {
  return async (signal: AbortSignal): Promise<void> => {
    const began = clock.now();
    for (;;) {
      signal.throwIfAborted();
      const ages = await drainLog.oldestAgeMs(PARTITION_IDS);
      const waited = clock.now() - began;
      const behind = PARTITION_IDS.filter((_, i) => {
        const age = ages[i] ?? null;
        return age !== null && age + SLACK_MS >= waited;
      });
      if (behind.length === 0) return;
      for (const partition of behind) doorbell.ring(partition);
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  };
}
