import type { Metrics } from '@parley/runtime';

/** `done`: it ran. `later`: it could not be done yet. `retried`: it failed, and runs again. `dead`: it failed for the last time. */
export type JobOutcome = 'done' | 'later' | 'retried' | 'dead';

/** How long runs take and how they end, by kind. */
export function createJobMetrics(metrics: Metrics) {
  return metrics.histogram('job_seconds', 'Duration of one run of a job, by kind and by how it ended', {
    labels: ['kind', 'outcome'],
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300],
  });
}
