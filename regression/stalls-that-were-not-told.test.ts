import { createLog, createMetrics, superviseThreads } from '@parley/runtime';
import { expect, it } from 'vitest';

/**
 * The counter of stuck threads was made when the first thread was stuck. Until then no scrape told of it, so that its first increase
 * could not be seen, and docs/metrics.md, which is made from processes that have just begun, did not know of it.
 */
it('[RUN-8] stuck threads are counted from 0 on, by a counter that is there before the first one', () => {
  const metrics = createMetrics();
  const log = createLog({ name: 'none', level: 'silent' });
  superviseThreads({ entry: new URL('none:'), count: 1, workerData: {}, log, metrics, onGiveUp: () => undefined });
  expect(metrics.describe().map(({ name }) => name)).toContain('thread_stalls_total');
});
