import { type DrainLog, laneOf, PARTITIONS } from '@parley/domain';
import { type Log, Loop } from '@parley/runtime';
import type { DrainMetrics } from './drain-metrics.ts';
import type { Drainer } from './drainer.ts';

/** How often every worker looks at the log, whatever the doorbell does, and how old an entry may be before it takes the lane over. */
export const WATCH_EVERY_MS = 250;

interface LaneWatchOptions {
  readonly log: DrainLog;
  readonly drainer: Drainer;
  readonly metrics: DrainMetrics;
  readonly logger: Log;
}

/** Covers lost doorbells and killed workers: a lane with an old entry is drained until it is empty. */
export function createLaneWatch({ log, drainer, metrics, logger }: LaneWatchOptions): Loop {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  return new Loop({
    name: 'lane watch',
    everyMs: WATCH_EVERY_MS,
    log: logger,
    maxBackoffMs: 2_000,
    async work() {
      const ages = await log.oldestAgeMs(partitions);
      metrics.oldest.seconds = Math.max(0, ...ages.map((age) => age ?? 0)) / 1_000;
      const late = new Set<number>();
      for (const [partition, age] of ages.entries()) {
        if (age !== null && age > WATCH_EVERY_MS) late.add(laneOf(partition, drainer.lanes));
      }
      for (const lane of late) {
        if (drainer.isBusy(lane)) continue;
        metrics.takeovers.inc();
        void drainer.drain(lane, Number.POSITIVE_INFINITY);
      }
    },
  });
}
