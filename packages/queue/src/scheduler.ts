import { type Log, Loop, type Service } from '@parley/runtime';
import { type AnyJob, JOBS } from './catalog.ts';
import type { QueueServer } from './connection.ts';
import { wrap } from './envelope.ts';
import { createQueues, jobOptions, type Queues } from './queues.ts';

/** When something happens again and again: every so often, or at times of the day (UTC) as cron writes them. */
export type Rhythm = { readonly everyMs: number } | { readonly cron: string };

/** A row of the table of schedules. The name is unique, and stays when the rhythm changes. */
export interface Schedule {
  readonly name: string;
  readonly rhythm: Rhythm;
  readonly job: AnyJob;
  readonly payload: object;
}

interface SchedulerOptions {
  readonly server: QueueServer;
  readonly schedules: readonly Schedule[];
  readonly log: Log;
  readonly againEveryMs?: number;
}

/** How often the table is written again: a log store that has lost its queues has lost the schedules with them. */
const AGAIN_EVERY_MS = 60_000;
/** A time that passed so long ago without the next one being set: its job was lost, or nobody runs jobs. */
const LATE_MS = 60_000;

/**
 * Writes the table of schedules into the queues, and takes out what is no longer in it. A schedule makes one job at a time in the whole
 * deployment, however many workers write the same table: each time has one id. Writing it again moves no time.
 */
export function createScheduler({ server, schedules, log, againEveryMs = AGAIN_EVERY_MS }: SchedulerOptions): Service {
  const queues = createQueues({ server, log });
  const loop = new Loop({
    name: 'scheduler',
    everyMs: againEveryMs,
    log,
    maxBackoffMs: 5_000,
    async work() {
      for (const job of Object.values<AnyJob>(JOBS)) await removeOthers(queues, job, schedules);
      for (const schedule of schedules) await write(queues, schedule);
    },
  });
  return {
    name: 'scheduler',
    run: () => loop.run(),
    stop: async () => {
      await loop.stop();
      await queues.close();
    },
  };
}

async function removeOthers(queues: Queues, job: AnyJob, schedules: readonly Schedule[]): Promise<void> {
  const queue = await queues.of(job);
  const kept = new Set(schedules.filter((schedule) => schedule.job.name === job.name).map((schedule) => schedule.name));
  for (const { key } of await queue.getJobSchedulers()) {
    if (!kept.has(key)) await queue.removeJobScheduler(key);
  }
}

async function write(queues: Queues, { name, rhythm, job, payload }: Schedule): Promise<void> {
  const queue = await queues.of(job);
  const repeat = 'cron' in rhythm ? { pattern: rhythm.cron, tz: 'UTC' } : { every: rhythm.everyMs };
  const present = await queue.getJobScheduler(name);
  const same = 'cron' in rhythm ? present?.pattern === rhythm.cron : present?.every === rhythm.everyMs;
  const isAlive = (present?.next ?? 0) > Date.now() - LATE_MS;
  if (same && isAlive) return;
  const data = wrap(job, payload);
  await queue.upsertJobScheduler(name, repeat, { name: job.name, data, opts: jobOptions(job) });
}
