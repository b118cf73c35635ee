import { type MissedRange, PARTITIONS } from '@parley/domain';
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

const NOTHING = z.object({});
const USER = z.object({ userId: z.guid() });

/** Channels that one job may name. */
export const FAN_CHANNELS_MAX = 500;

/** What is tried within minutes, or by the next one of its kind. */
const SOON = { attempts: 5, backoff: { type: 'exponential', delay: 500, jitter: 0.5 } } as const;
/** What asks servers of other people, which may be away for hours: the last try is four to six hours after the first. */
const PATIENTLY = { attempts: 13, backoff: { type: 'exponential', delay: 5_000, jitter: 0.3 } } as const;
const KEPT = { keepCompleted: 100, keepFailed: 1_000 };

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
    ...SOON,
    ...KEPT,
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
  /** Finds members of these channels who are away; without channels, of all with something new in the last minutes. */
  fanOffline: {
    name: 'fan-offline',
    payload: z.object({ channelIds: z.array(z.guid()).max(FAN_CHANNELS_MAX) }),
    ...SOON,
    ...KEPT,
  } satisfies JobDefinition<{ channelIds: string[] }>,
  /** Tells one user, by every outlet, what he has missed. It carries no message: Postgres says what that is. */
  deliverOffline: { name: 'deliver-offline', payload: USER, ...PATIENTLY, ...KEPT } satisfies JobDefinition<{
    userId: string;
  }>,
  /** One call of one webhook, and its id for who gets it twice. It carries a range and no message: what is in it is read at the call. */
  webhook: {
    name: 'webhook',
    payload: z.object({
      url: z.string(),
      deliveryId: z.string(),
      userId: z.guid(),
      channelId: z.guid(),
      after: z.string(),
      upTo: z.string(),
    }),
    ...PATIENTLY,
    // Adding one that is here again does nothing.
    keepCompleted: 5_000,
    keepFailed: 5_000,
  } satisfies JobDefinition<MissedRange & { url: string; deliveryId: string }>,
  planDigests: { name: 'plan-digests', payload: NOTHING, ...SOON, ...KEPT } satisfies JobDefinition<object>,
  sendDigest: { name: 'send-digest', payload: USER, ...PATIENTLY, ...KEPT } satisfies JobDefinition<{
    userId: string;
  }>,
  removeExpired: { name: 'remove-expired', payload: NOTHING, ...SOON, ...KEPT } satisfies JobDefinition<object>,
  forgetIdle: { name: 'forget-idle', payload: NOTHING, ...SOON, ...KEPT } satisfies JobDefinition<object>,
  countDays: { name: 'count-days', payload: NOTHING, ...SOON, ...KEPT } satisfies JobDefinition<object>,
  cleanAttachments: { name: 'clean-attachments', payload: NOTHING, ...SOON, ...KEPT } satisfies JobDefinition<object>,
  sweepPresence: { name: 'sweep-presence', payload: NOTHING, ...SOON, ...KEPT } satisfies JobDefinition<object>,
  checkUnread: { name: 'check-unread', payload: NOTHING, ...SOON, ...KEPT } satisfies JobDefinition<object>,
} as const;

/** Any of them, when the payload does not matter. */
export type AnyJob = JobDefinition<object>;

/** What a job carries. */
export type Payload<D> = D extends JobDefinition<infer P> ? P : never;

/** The key prefix of all queues: one hash tag, because BullMQ's scripts touch several keys of a queue at once. */
export function queuePrefix(keyPrefix: string): string {
  return `{${keyPrefix}-bull}`;
}
