import type { Log } from '@parley/runtime';
import type { JobDefinition } from './catalog.ts';
import type { QueueServer } from './connection.ts';
import { wrap } from './envelope.ts';
import { createQueues } from './queues.ts';

interface ProducerOptions<P> {
  readonly server: QueueServer;
  readonly job: JobDefinition<P>;
  readonly log: Log;
}

/** How one job is added. */
export interface AddOptions {
  /** There is at most one such job waiting and one running: an ask during the run makes exactly one more run after it. */
  readonly onceKey?: string;
  /** The job's own name: adding it again does nothing as long as it is waiting, running, or kept. Without a colon. */
  readonly id?: string;
  /** It waits for so long before it may run. */
  readonly delayMs?: number;
}

/** Adds jobs of one kind. Rejects when the server is away: at once, or within a second if it was never there. */
export interface Producer<P> {
  add(payload: P, options?: AddOptions): Promise<void>;
  /** All or none, in one round trip. */
  addMany(jobs: readonly (AddOptions & { readonly payload: P })[]): Promise<void>;
  close(): Promise<void>;
}

/** A producer that connects with its first job. */
export function createProducer<P extends object>({ server, job, log }: ProducerOptions<P>): Producer<P> {
  const queues = createQueues({ server, log });
  return {
    async add(payload, options = {}) {
      const queue = await queues.of(job);
      await queue.add(job.name, wrap(job, payload), addOptions(options));
    },
    async addMany(jobs) {
      if (jobs.length === 0) return;
      const queue = await queues.of(job);
      await queue.addBulk(
        jobs.map(({ payload, ...options }) => ({
          name: job.name,
          data: wrap(job, payload),
          opts: addOptions(options),
        })),
      );
    },
    close: () => queues.close(),
  };
}

function addOptions({ onceKey, id, delayMs }: AddOptions) {
  return {
    ...(onceKey !== undefined && { deduplication: { id: onceKey, keepLastIfActive: true } }),
    ...(id !== undefined && { jobId: id }),
    ...(delayMs !== undefined && { delay: delayMs }),
  };
}
