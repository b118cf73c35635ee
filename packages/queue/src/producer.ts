import type { Log } from '@parley/runtime';
import { Queue } from 'bullmq';
import type { JobDefinition } from './catalog.ts';
import { createComplaint } from './complaint.ts';
import { type Connection, producerConnection, type QueueServer } from './connection.ts';
import { wrap } from './envelope.ts';

interface ProducerOptions<P> {
  readonly server: QueueServer;
  readonly job: JobDefinition<P>;
  readonly log: Log;
}

/** Adds jobs of one kind. */
export interface Producer<P> {
  /**
   * Rejects when the server is away: at once, or within a second if it was never there. With an `onceKey` there is at most one such job
   * waiting and one running: an ask during the run makes exactly one more run after it.
   */
  add(payload: P, options?: { onceKey?: string }): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_WITHIN_MS = 1_000;

interface Opened {
  readonly queue: Queue;
  readonly connection: Connection;
}

/** A producer that connects with its first job. */
export function createProducer<P extends object>({ server, job, log }: ProducerOptions<P>): Producer<P> {
  const complain = createComplaint({ log, message: `the queue ${job.name} has trouble` });
  let opened: Opened | undefined;

  function open(): Opened {
    const connection = producerConnection(server.url);
    connection.redis.on('error', complain);
    const queue = new Queue(job.name, {
      connection: connection.redis,
      prefix: server.prefix,
      defaultJobOptions: {
        attempts: job.attempts,
        backoff: job.backoff,
        removeOnComplete: { count: job.keepCompleted },
        removeOnFail: { count: job.keepFailed },
      },
      // Nobody reads the events: the default keeps 10,000 of them per queue.
      streams: { events: { maxLen: 100 } },
    });
    queue.on('error', complain);
    return { queue, connection };
  }

  async function ready(): Promise<Queue> {
    opened ??= open();
    const { queue, connection } = opened;
    try {
      await within(queue.waitUntilReady(), CONNECT_WITHIN_MS);
    } catch (error) {
      // BullMQ keeps the outcome of its first handshake for ever: one that broke makes this queue useless.
      if (opened?.queue === queue) opened = undefined;
      connection.end();
      throw error;
    }
    return queue;
  }

  return {
    async add(payload, { onceKey } = {}) {
      const queue = await ready();
      const once = onceKey === undefined ? {} : { deduplication: { id: onceKey, keepLastIfActive: true } };
      await queue.add(job.name, wrap(job, payload), once);
    },
    async close() {
      if (!opened) return;
      const { queue, connection } = opened;
      opened = undefined;
      await queue.close().catch(complain);
      connection.end();
    },
  };
}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the queue was not ready within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
