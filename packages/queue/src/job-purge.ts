import type { JobPurge } from '@parley/domain';
import type { Log, Service } from '@parley/runtime';
import type { Job, Queue } from 'bullmq';
import { type AnyJob, JOBS } from './catalog.ts';
import type { QueueServer } from './connection.ts';
import { createQueues } from './queues.ts';

const STATES = ['wait', 'delayed', 'prioritized', 'completed', 'failed'] as const;
const JOBS_AT_ONCE = 500;

/** Takes whom a deployment's jobs are about out of its queues: no job names anybody but who is to be told. */
export function createJobPurge({ server, log }: { server: QueueServer; log: Log }): JobPurge & Service {
  const queues = createQueues({ server, log });
  return {
    name: 'job purge',
    run: () => undefined,
    stop: () => queues.close(),
    async purge(userId) {
      let purged = 0;
      for (const kind of Object.values<AnyJob>(JOBS)) purged += await purgeQueue(await queues.of(kind), userId);
      return purged;
    },
  };
}

async function purgeQueue(queue: Queue, userId: string): Promise<number> {
  // What is being done at this moment cannot be removed, and is kept when it is done: without his id.
  for (const job of (await queue.getActive()).filter((one) => names(one, userId))) await job.updateData({});
  let purged = 0;
  for (const state of STATES) purged += await purgeState(queue, state, userId);
  return purged;
}

async function purgeState(queue: Queue, state: (typeof STATES)[number], userId: string): Promise<number> {
  let purged = 0;
  for (let from = 0; ; ) {
    const jobs = await queue.getJobs([state], from, from + JOBS_AT_ONCE - 1);
    const named = jobs.filter((one) => names(one, userId));
    for (const job of named) await job.remove();
    purged += named.length;
    if (jobs.length < JOBS_AT_ONCE) return purged;
    // Those behind the removed ones have moved up.
    from += jobs.length - named.length;
  }
}

/** A job may have gone between the list and the look. */
function names(job: Job | undefined, userId: string): boolean {
  return job?.data?.userId === userId;
}
