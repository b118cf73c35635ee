import { createProducer, JobConsumer, type JobDefinition, type Producer, type QueueServer } from '@parley/queue';
import type { Log, Metrics, Service } from '@parley/runtime';

interface JobWiringOptions {
  readonly server: QueueServer;
  readonly logger: Log;
  readonly metrics: Metrics;
}

type Run<P> = (payload: P, signal: AbortSignal) => Promise<void>;

/** What makes and what runs the jobs of a worker. */
export interface JobWiring {
  producer<P extends object>(job: JobDefinition<P>): Producer<P>;
  /** `concurrency`: jobs of this kind that this process runs at once. */
  consume<P extends object>(job: JobDefinition<P>, run: Run<P>, concurrency?: number): void;
  /** The makers, and the runners: each group ends as one, for a queue that is away must not be waited for once a kind. */
  readonly producers: Service;
  readonly consumers: Service;
}

/** Nothing of it runs before its two services do. */
export function wireJobs({ server, logger, metrics }: JobWiringOptions): JobWiring {
  const producers: { close(): Promise<void> }[] = [];
  const consumers: Service[] = [];
  return {
    producer(job) {
      const producer = createProducer({ server, job, log: logger });
      producers.push(producer);
      return producer;
    },
    consume(job, process, concurrency = 1) {
      consumers.push(new JobConsumer({ server, job, concurrency, log: logger, metrics, process }));
    },
    producers: {
      name: 'job producers',
      run: () => undefined,
      stop: async () => {
        await Promise.all(producers.map((producer) => producer.close()));
      },
    },
    consumers: {
      name: 'jobs',
      run: async () => {
        for (const consumer of consumers) await consumer.run();
      },
      stop: async () => {
        await Promise.all(consumers.map((consumer) => consumer.stop()));
      },
    },
  };
}
