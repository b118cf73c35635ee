import type { Log, Service } from '@parley/runtime';
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { JobDefinition } from './catalog.ts';
import { createComplaint } from './complaint.ts';
import { type Connection, consumerConnection, type QueueServer } from './connection.ts';
import { open } from './envelope.ts';

/** How long a dead worker's job stays its own. Nothing waits for it: see `persist-lane`. */
const LOCK_MS = 10_000;
const STALLED_EVERY_MS = 5_000;
/** A rolling update is many stalls in a row for a long job. */
const STALLS_MAX = 10;
/** How long a job of a newer version is put aside each time an old worker meets it. */
const NEWER_ASIDE_MS = 1_000;

interface ConsumerOptions<P> {
  readonly server: QueueServer;
  readonly job: JobDefinition<P>;
  readonly concurrency: number;
  readonly log: Log;
  /** Runs one job. May be called twice for the same job, also at the same time. The signal says that the process wants to end. */
  process(payload: P, signal: AbortSignal): Promise<void>;
  /** BullMQ's own close never ends while the server is away. */
  readonly closeWithinMs?: number;
}

/** Runs the jobs of one kind until it is stopped; waits for a server that is away. */
export class JobConsumer<P> implements Service {
  readonly name: string;
  readonly #options: ConsumerOptions<P>;
  readonly #complain: (error: unknown) => void;
  readonly #stopping = new AbortController();
  #connection: Connection | undefined;
  #worker: Worker | undefined;

  constructor(options: ConsumerOptions<P>) {
    this.name = `jobs ${options.job.name}`;
    this.#options = options;
    this.#complain = createComplaint({ log: options.log, message: `running ${options.job.name} jobs has trouble` });
  }

  run(): void {
    if (this.#worker || this.#stopping.signal.aborted) return;
    const { server, job, concurrency } = this.#options;
    this.#connection = consumerConnection(server.url);
    this.#connection.redis.on('error', this.#complain);
    this.#worker = new Worker(job.name, (found, token) => this.#process(found, token), {
      connection: this.#connection.redis,
      prefix: server.prefix,
      concurrency,
      autorun: false,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_EVERY_MS,
      maxStalledCount: STALLS_MAX,
      removeOnComplete: { count: job.keepCompleted },
      removeOnFail: { count: job.keepFailed },
    });
    this.#worker.on('error', this.#complain);
    this.#worker.on('failed', (found, error) =>
      this.#options.log.error({ err: error, job: found?.id }, 'a job failed'),
    );
    this.#worker.run().catch(this.#complain);
  }

  /** Tells running jobs to end, waits for them, and leaves them to another worker when they take too long. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const { closeWithinMs = 5_000, log } = this.#options;
    if (!this.#worker) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, closeWithinMs, 'late');
    });
    try {
      const outcome = await Promise.race([this.#worker.close(), late]);
      if (outcome === 'late') log.warn({ service: this.name }, 'jobs are left to other workers');
    } finally {
      clearTimeout(timer);
      this.#connection?.end();
    }
  }

  async #process(found: Job, token: string | undefined): Promise<void> {
    const { job, log, process } = this.#options;
    const opened = open(job, found.data);
    switch (opened.type) {
      case 'payload':
        return process(opened.payload, this.#stopping.signal);
      case 'malformed':
        throw new UnrecoverableError(opened.reason);
      case 'newer':
        log.warn({ job: found.id, v: opened.v }, 'a job of a newer version waits for a newer worker');
        await found.moveToDelayed(Date.now() + NEWER_ASIDE_MS, token);
        throw new DelayedError();
    }
  }
}
