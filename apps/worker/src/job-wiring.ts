import { createProducer, JobConsumer, type JobDefinition, type Producer, type QueueServer } from '@parley/queue';
import type { Lifecycle, Log, Metrics } from '@parley/runtime';

interface JobWiringOptions {
  readonly server: QueueServer;
  readonly lifecycle: Lifecycle;
  readonly logger: Log;
  readonly metrics: Metrics;
}

type Run<P> = (payload: P, signal: AbortSignal) => Promise<void>;

/** Adds what makes and what runs jobs to a worker's life: both end with it, makers after runners. */
export interface JobWiring {
  producer<P extends object>(job: JobDefinition<P>): Producer<P>;
  /** `concurrency`: jobs of this kind that this process runs at once. */
  consume<P extends object>(job: JobDefinition<P>, run: Run<P>, concurrency?: number): void;
}

export function wireJobs({ server, lifecycle, logger, metrics }: JobWiringOptions): JobWiring {
  return {
    producer(job) {
      const producer = createProducer({ server, job, log: logger });
      lifecycle.supporting({ name: `producer ${job.name}`, run: () => undefined, stop: () => producer.close() });
      return producer;
    },
    consume(job, process, concurrency = 1) {
      lifecycle.userFacing(new JobConsumer({ server, job, concurrency, log: logger, metrics, process }));
    },
  };
}
