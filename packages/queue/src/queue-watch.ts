import { type Log, Loop, type Metrics, type Service } from '@parley/runtime';
import { type AnyJob, JOBS } from './catalog.ts';
import type { QueueServer } from './connection.ts';
import { createQueues } from './queues.ts';

const LOOK_EVERY_MS = 15_000;

interface QueueWatchOptions {
  readonly server: QueueServer;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly everyMs?: number;
}

/** Tells operators how long the oldest job of each kind has been waiting, how many wait, and how many are dead letters. */
export function createQueueWatch({ server, log, metrics, everyMs = LOOK_EVERY_MS }: QueueWatchOptions): Service {
  const queues = createQueues({ server, log });
  // Not `job`: that is what Prometheus calls the group of targets.
  const labels = { labels: ['kind'], aggregator: 'max' } as const;
  const oldest = metrics.gauge(
    'job_oldest_waiting_seconds',
    'Age of the oldest job that could run and does not',
    labels,
  );
  const waiting = metrics.gauge('job_waiting', 'Jobs that could run and do not', labels);
  const delayed = metrics.gauge('job_delayed', 'Jobs whose time has not come', labels);
  const dead = metrics.gauge('job_dead_letters', 'Jobs that have failed for the last time', labels);

  async function look(job: AnyJob): Promise<void> {
    const queue = await queues.of(job);
    const [counts, [first]] = await Promise.all([
      queue.getJobCounts('waiting', 'delayed', 'failed'),
      queue.getJobs(['waiting'], 0, 0, true),
    ]);
    waiting.set({ kind: job.name }, counts.waiting ?? 0);
    delayed.set({ kind: job.name }, counts.delayed ?? 0);
    dead.set({ kind: job.name }, counts.failed ?? 0);
    oldest.set({ kind: job.name }, first ? Math.max(0, Date.now() - first.timestamp - first.delay) / 1_000 : 0);
  }

  const loop = new Loop({
    name: 'queue watch',
    everyMs,
    log,
    async work() {
      for (const job of Object.values<AnyJob>(JOBS)) await look(job);
    },
  });
  return {
    name: 'queue watch',
    run: () => loop.run(),
    stop: async () => {
      await loop.stop();
      await queues.close();
    },
  };
}
