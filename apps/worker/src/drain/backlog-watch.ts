import type { BacklogCount, Clock } from '@parley/domain';
import { type Log, Loop, type Metrics } from '@parley/runtime';
import { DrainRate } from './drain-rate.ts';

interface BacklogWatchOptions {
  readonly log: BacklogCount;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Log;
  /** Age of the oldest entry that is not in Postgres. */
  readonly oldest: { readonly seconds: number };
  readonly everyMs?: number;
}

/** Tells operators how much is not in Postgres and how long that will last, whoever drains it: every worker tells the same. */
export function createBacklogWatch({
  log,
  metrics,
  oldest,
  logger,
  everyMs = 1_000,
  clock,
}: BacklogWatchOptions): Loop {
  const rate = new DrainRate();
  let waiting = 0;
  metrics.gauge('backlog_entries', 'Entries that are accepted and not in Postgres', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(waiting),
  });
  metrics.gauge('backlog_drain_seconds', 'How long the backlog will take at the rate of late; 0 when there is none', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(rate.secondsFor(waiting, oldest.seconds)),
  });
  return new Loop({
    name: 'backlog watch',
    everyMs,
    clock,
    log: logger,
    async work() {
      const found = await log.backlog();
      waiting = found.waiting;
      rate.see({ ...found, atMs: clock.now() });
    },
  });
}
