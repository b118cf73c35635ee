import type { Log } from '@parley/runtime';
import { type AnyJob, JOBS } from './catalog.ts';
import type { QueueServer } from './connection.ts';
import { createQueues } from './queues.ts';

/** A job that has failed for the last time. */
export interface DeadJob {
  readonly kind: string;
  readonly id: string;
  readonly payload: unknown;
  readonly reason: string;
  readonly tries: number;
  readonly failedAt: number;
}

/** Dead letters of all queues, for an operator. */
export interface DeadJobs {
  /** The newest ones of each kind. */
  list(limit: number): Promise<DeadJob[]>;
  find(kind: string, id: string): Promise<DeadJob | null>;
  /** It is tried again, as often as a new one. False when it is not there. */
  retry(kind: string, id: string): Promise<boolean>;
  discard(kind: string, id: string): Promise<boolean>;
  close(): Promise<void>;
}

/** The dead letters of a deployment's queues. */
export function createDeadJobs({ server, log }: { server: QueueServer; log: Log }): DeadJobs {
  const queues = createQueues({ server, log });
  const kinds = Object.values<AnyJob>(JOBS);

  async function failed(kind: string, id: string) {
    const job = kinds.find(({ name }) => name === kind);
    if (!job) return null;
    const found = await (await queues.of(job)).getJob(id);
    return found && (await found.isFailed()) ? found : null;
  }

  return {
    async list(limit) {
      const lists = await Promise.all(
        kinds.map(async (job) =>
          (await (await queues.of(job)).getFailed(0, limit - 1)).map((one) => deadJob(job.name, one)),
        ),
      );
      return lists.flat();
    },
    async find(kind, id) {
      const found = await failed(kind, id);
      return found ? deadJob(kind, found) : null;
    },
    async retry(kind, id) {
      const found = await failed(kind, id);
      await found?.retry('failed', { resetAttemptsMade: true });
      return found !== null;
    },
    async discard(kind, id) {
      const found = await failed(kind, id);
      await found?.remove();
      return found !== null;
    },
    close: () => queues.close(),
  };
}

interface Failed {
  readonly id?: string | undefined;
  readonly data: unknown;
  readonly failedReason: string;
  readonly attemptsMade: number;
  readonly finishedOn?: number | undefined;
}

function deadJob(kind: string, { id = '', data, failedReason, attemptsMade, finishedOn = 0 }: Failed): DeadJob {
  return { kind, id, payload: data, reason: failedReason, tries: attemptsMade, failedAt: finishedOn };
}
