import { PARTITIONS } from '@parley/domain';
import * as z from 'zod';

/** The version of a job's payload that this build writes. It runs this one and the one before; a newer one waits for a newer worker. */
export const JOB_VERSION = 1;

/** A kind of job: a queue of its own with the same name, so that one kind never waits for another. */
export interface JobDefinition<P> {
  readonly name: string;
  /** Without `v`: that is the envelope's. */
  readonly payload: z.ZodType<P>;
  readonly attempts: number;
  readonly backoff: { readonly type: 'exponential'; readonly delay: number; readonly jitter: number };
  /** Finished jobs that are kept for a look; failed ones are the dead letters of this kind. */
  readonly keepCompleted: number;
  readonly keepFailed: number;
}

/** Every job there is. A name is never reused for another payload. */
export const JOBS = {
  /** Wakes a worker for a lane. It carries no entry: lost, doubled or late, the log itself says what is to be done. */
  persistLane: {
    name: 'persist-lane',
    payload: z.object({
      lane: z
        .int()
        .min(0)
        .max(PARTITIONS - 1),
    }),
    attempts: 5,
    backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
    keepCompleted: 100,
    keepFailed: 1_000,
  } satisfies JobDefinition<{ lane: number }>,
  /** Makes the thumbnail of an image, which may be corrupt on purpose: then the job fails, and the image stays without. */
  makeThumbnail: {
    name: 'make-thumbnail',
    payload: z.object({ attachmentId: z.guid() }),
    attempts: 3,
    backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
    keepCompleted: 100,
    keepFailed: 1_000,
  } satisfies JobDefinition<{ attachmentId: string }>,
} as const;

/** What a job carries. */
export type Payload<D> = D extends JobDefinition<infer P> ? P : never;

/** The key prefix of all queues: one hash tag, because BullMQ's scripts touch several keys of a queue at once. */
export function queuePrefix(keyPrefix: string): string {
  return `{${keyPrefix}-bull}`;
}
