import { RedisDrainLog } from '@parley/cache';
import { PARTITIONS } from '@parley/domain';
import { createMetrics } from '@parley/runtime';
import { createCursorFlush } from '../../../../apps/worker/src/drain/cursor-flush.ts';
import { createDrainMetrics } from '../../../../apps/worker/src/drain/drain-metrics.ts';
import { createDrainer } from '../../../../apps/worker/src/drain/drainer.ts';
import { WATCH_EVERY_MS } from '../../../../apps/worker/src/drain/lane-watch.ts';
import { epochsOf, type Ground, silent } from './api-node.ts';
import type { LogServer } from './log-servers.ts';
import { Actor } from './schedule.ts';
import { SteppedLogStore, stepped } from './stepped-stores.ts';

/** A worker as far as the message path goes. */
export interface WorkerNode {
  readonly actor: Actor;
  readonly logStore: SteppedLogStore;
  /** A doorbell has come. */
  rung(): void;
  turnTo(server: LogServer): void;
}

const DOORBELL_DRAIN_MS = 1_000;
const EVERYWHERE = Array.from({ length: PARTITIONS }, (_, partition) => partition);

export interface WorkerOptions {
  readonly trimsFirst: boolean;
  readonly watchesNothing: boolean;
}

export function startWorkerNode(
  ground: Ground,
  { name, server }: { name: string; server: LogServer },
  options: WorkerOptions,
): WorkerNode {
  const { schedule, keys } = ground;
  const actor = new Actor(name);
  const seat = { schedule, actor };
  const logStore = new SteppedLogStore(seat, server);
  const { clock, epochs, ledger } = epochsOf(ground, seat, logStore);
  const log = new RedisDrainLog({ store: logStore, epochs, keys });
  const store = stepped(seat, ground.store.drain);
  const drainer = createDrainer({
    lanes: 1,
    log,
    store,
    ledger,
    sets: { changed: async () => undefined },
    clock,
    metrics: createDrainMetrics(createMetrics()),
    logger: silent,
    unsafeTrimBeforeCommit: options.trimsFirst,
  });
  // The watch of a lane goes by the ages of entries, which are the log store's own: here an entry that waits is old.
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(WATCH_EVERY_MS);
      const ages = await log.oldestAgeMs(EVERYWHERE).catch(() => []);
      if (ages.some((age) => age !== null) && !drainer.isBusy(0)) void drainer.drain(0, Number.POSITIVE_INFINITY);
    }
  };
  void epochs.run();
  if (!options.watchesNothing) void watch();
  // A step for each of the many partitions that nobody uses would be the most of a run.
  const ours = ground.partitions();
  const dirtyCursors: RedisDrainLog['dirtyCursors'] = async (partition, count) =>
    ours.has(partition) ? log.dirtyCursors(partition, count) : [];
  const cursorsFlushed: RedisDrainLog['cursorsFlushed'] = (...flushed) => log.cursorsFlushed(...flushed);
  createCursorFlush({ log: { dirtyCursors, cursorsFlushed }, store, logger: silent, clock }).run();
  return {
    actor,
    logStore,
    rung: () => void drainer.drain(0, DOORBELL_DRAIN_MS),
    turnTo: (next) => logStore.turnTo(next),
  };
}
