import { createDeadJobs, queuePrefix } from '@parley/queue';
import { createLog } from '@parley/runtime';
import type { Happening, Subject } from './timeline.ts';

const LOOKED_AT = 1_000;

/** Jobs that failed for the last time and name the entry's channel. */
export async function jobHappenings(url: string, prefix: string, subject: Subject): Promise<Happening[]> {
  const log = createLog({ name: 'trace', level: 'silent' });
  const jobs = createDeadJobs({ server: { url, prefix: queuePrefix(prefix) }, log });
  try {
    const dead = await jobs.list(LOOKED_AT);
    return dead
      .filter(({ payload }) => JSON.stringify(payload).includes(subject.channelId))
      .map(({ kind, id, reason, failedAt }) => ({
        at: failedAt,
        by: 'queue',
        what: `${kind} about this channel failed: ${reason} (npm run dead-letters -- show ${kind}:${id})`,
      }));
  } finally {
    await jobs.close();
  }
}
