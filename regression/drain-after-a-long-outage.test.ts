import { Failure } from '@parley/domain';
import { createLog, createMetrics } from '@parley/runtime';
import { expect, it } from 'vitest';
import { createDrainMetrics } from '../apps/worker/src/drain/drain-metrics.ts';
import { createDrainer } from '../apps/worker/src/drain/drainer.ts';

/**
 * The pause between two tries used to double up to ten seconds. After a log store outage of a minute the old epoch's entries waited for
 * it, the headers of the new epoch waited for them, and every send for the headers.
 */
it('[PERSIST-130] however long a store was away, a drain looks again within two seconds', async () => {
  const away = () => Promise.reject(new Failure('UNAVAILABLE', 'away'));
  const pauses: number[] = [];
  const enough = Promise.withResolvers<void>();
  let now = 0;
  const drainer = createDrainer({
    lanes: 1,
    log: { read: away, oldestAgeMs: away, settle: away, dirtyCursors: away, cursorsFlushed: away, renew: away },
    store: { cursors: away, commit: away, holesAmong: away, absentAmong: away, flushCursors: away },
    ledger: { locked: away },
    sets: { changed: () => Promise.resolve() },
    clock: {
      now: () => now,
      sleep: async (ms) => {
        pauses.push(ms);
        now += ms;
        if (pauses.length === 30) enough.resolve();
        await new Promise(setImmediate);
      },
    },
    metrics: createDrainMetrics(createMetrics()),
    logger: createLog({ name: 'test', level: 'silent' }),
    unsafeTrimBeforeCommit: false,
  });
  const draining = drainer.drain(0, 1_000);
  await enough.promise;
  await drainer.stop();
  await draining;
  expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
  expect(Math.max(...pauses)).toBeGreaterThan(500);
});
