import type { Log } from '@parley/runtime';
import { Queue } from 'bullmq';
import type { AnyJob } from './catalog.ts';
import { createComplaint } from './complaint.ts';
import { type Connection, producerConnection, type QueueServer } from './connection.ts';

interface QueuesOptions {
  readonly server: QueueServer;
  readonly log: Log;
}

/** Queues on one connection, which is made for the first of them and made anew when it was of no use. */
export interface Queues {
  /** Rejects when the server is away: at once, or within a second if it was never there. */
  of(job: AnyJob): Promise<Queue>;
  close(): Promise<void>;
}

const CONNECT_WITHIN_MS = 1_000;

interface Opened {
  readonly connection: Connection;
  readonly queues: Map<string, Queue>;
}

/** Queues that connect when they are first asked for. */
export function createQueues({ server, log }: QueuesOptions): Queues {
  const complain = createComplaint({ log, message: 'the queues have trouble' });
  let opened: Opened | undefined;

  function connect(): Opened {
    const connection = producerConnection(server.url);
    connection.redis.on('error', complain);
    return { connection, queues: new Map() };
  }

  function open(job: AnyJob, { connection, queues }: Opened): Queue {
    const present = queues.get(job.name);
    if (present) return present;
    const queue = new Queue(job.name, {
      connection: connection.redis,
      prefix: server.prefix,
      defaultJobOptions: jobOptions(job),
      // Nobody reads the events: the default keeps 10,000 of them per queue.
      streams: { events: { maxLen: 100 } },
    });
    queue.on('error', complain);
    queues.set(job.name, queue);
    return queue;
  }

  return {
    async of(job) {
      opened ??= connect();
      const mine = opened;
      const queue = open(job, mine);
      try {
        await within(queue.waitUntilReady(), CONNECT_WITHIN_MS);
      } catch (error) {
        // BullMQ keeps the outcome of its first handshake for ever: one that broke makes these queues useless.
        if (opened === mine) opened = undefined;
        mine.connection.end();
        throw error;
      }
      return queue;
    },
    async close() {
      if (!opened) return;
      const { connection, queues } = opened;
      opened = undefined;
      await Promise.all([...queues.values()].map((queue) => queue.close().catch(complain)));
      connection.end();
    },
  };
}

/** How every job of a kind is run, whoever adds it. */
export function jobOptions(job: AnyJob) {
  return {
    attempts: job.attempts,
    backoff: job.backoff,
    removeOnComplete: { count: job.keepCompleted },
    removeOnFail: { count: job.keepFailed },
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
