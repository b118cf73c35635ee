import { Failure, isAway } from '@parley/domain';
import type { Log, Metrics, Service } from '@parley/runtime';
import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import type { JobDefinition } from './catalog.ts';
import { createComplaint } from './complaint.ts';
import { type Connection, consumerConnection, type QueueServer } from './connection.ts';
import { open } from './envelope.ts';
import { createJobMetrics, type JobOutcome } from './job-metrics.ts';
import { Hopeless, TryLater } from './try-later.ts';

/** How long a dead worker's job stays its own. Nothing waits for it: see `persist-lane`. */
const LOCK_MS = 10_000;
const STALLED_EVERY_MS = 5_000;
/** A rolling update is many stalls in a row for a long job. */
const STALLS_MAX = 10;
/** How long a job of a newer version is put aside each time an old worker meets it. */
const NEWER_ASIDE_MS = 1_000;
/** The same for one whose store is away, where that does not say when it may be back. */
const AWAY_ASIDE_MS = 1_000;

interface ConsumerOptions<P> {
  readonly server: QueueServer;
  readonly job: JobDefinition<P>;
  readonly concurrency: number;
  readonly log: Log;
  readonly metrics?: Metrics;
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
  readonly #seconds: ReturnType<typeof createJobMetrics> | undefined;
  readonly #stopping = new AbortController();
  #connection: Connection | undefined;
  #worker: Worker | undefined;

  constructor(options: ConsumerOptions<P>) {
    this.name = `jobs ${options.job.name}`;
    this.#options = options;
    this.#complain = createComplaint({ log: options.log, message: `running ${options.job.name} jobs has trouble` });
    this.#seconds = options.metrics && createJobMetrics(options.metrics);
  }

  run(): void {
    if (this.#worker || this.#stopping.signal.aborted) return;
    const { server, job, concurrency } = this.#options;
    this.#connection = consumerConnection(server.url);
    this.#connection.redis.on('error', this.#complain);
    this.#worker = new Worker(job.name, (found, token) => this.#measured(found, token), {
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
    this.#worker.on('failed', (found, error) => this.#report(found, error));
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

  async #measured(found: Job, token: string | undefined): Promise<void> {
    const started = performance.now();
    let outcome: JobOutcome = 'done';
    try {
      await this.#process(found, token);
    } catch (error) {
      outcome = error instanceof DelayedError ? 'later' : isLast(found, error) ? 'dead' : 'retried';
      throw error;
    } finally {
      this.#seconds?.observe({ kind: this.#options.job.name, outcome }, (performance.now() - started) / 1_000);
    }
  }

  async #process(found: Job, token: string | undefined): Promise<void> {
    const { job, log } = this.#options;
    const opened = open(job, found.data);
    switch (opened.type) {
      case 'payload':
        return this.#run(opened.payload, { found, token });
      case 'malformed':
        throw new UnrecoverableError(opened.reason);
      case 'newer':
        log.warn({ job: found.id, v: opened.v }, 'a job of a newer version waits for a newer worker');
        return putAside(found, { token, ms: NEWER_ASIDE_MS });
    }
  }

  async #run(payload: P, { found, token }: { found: Job; token: string | undefined }): Promise<void> {
    try {
      await this.#options.process(payload, this.#stopping.signal);
    } catch (error) {
      if (error instanceof TryLater) return putAside(found, { token, ms: error.afterMs });
      // An outage is nobody's dead letter: the try does not count.
      if (error instanceof Failure && isAway(error)) {
        return putAside(found, { token, ms: error.retryAfterMs ?? AWAY_ASIDE_MS });
      }
      if (error instanceof Hopeless) throw new UnrecoverableError(error.message);
      throw error;
    }
  }

  #report(found: Job | undefined, error: Error): void {
    const { log, job } = this.#options;
    const detail = { err: error, kind: job.name, job: found?.id };
    // BullMQ has counted the try by now.
    if (!found || error instanceof UnrecoverableError || found.attemptsMade >= job.attempts) {
      log.error(detail, 'a job failed for the last time, and is a dead letter');
    } else {
      log.warn(detail, 'a job failed; it is tried again');
    }
  }
}

async function putAside(found: Job, { token, ms }: { token: string | undefined; ms: number }): Promise<void> {
  await found.moveToDelayed(Date.now() + ms, token);
  throw new DelayedError();
}

function isLast(found: Job, error: unknown): boolean {
  return error instanceof UnrecoverableError || found.attemptsMade + 1 >= (found.opts.attempts ?? 1);
}
