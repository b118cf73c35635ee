import { JOBS, type Schedule } from '@parley/queue';
import { type JobSettings, outletsOn } from './job-settings.ts';
import type { WorkerSettings } from './settings.ts';

const MINUTE_MS = 60_000;

/** What happens again and again, once in the whole deployment, however many workers there are. */
export function scheduleOf(settings: Pick<WorkerSettings, keyof JobSettings | 'PRESENCE_SWEEP_MS'>): Schedule[] {
  const { push, webhook, mail } = outletsOn(settings);
  const nobody = { channelIds: [] };
  const digestsMs = Math.min(5 * MINUTE_MS, settings.DIGEST_AFTER_MS);
  const idleMs = Math.min(10 * MINUTE_MS, settings.IDLE_AFTER_MS);
  return [
    ...(push || webhook
      ? [{ name: 'sweep-offline', rhythm: { everyMs: MINUTE_MS }, job: JOBS.fanOffline, payload: nobody }]
      : []),
    ...(mail ? [{ name: 'plan-digests', rhythm: { everyMs: digestsMs }, job: JOBS.planDigests, payload: {} }] : []),
    // When most people sleep somewhere: it is the only one that takes long.
    { name: 'remove-expired', rhythm: { cron: '17 3 * * *' }, job: JOBS.removeExpired, payload: {} },
    { name: 'forget-idle', rhythm: { everyMs: idleMs }, job: JOBS.forgetIdle, payload: {} },
    { name: 'count-days', rhythm: { everyMs: 10 * MINUTE_MS }, job: JOBS.countDays, payload: {} },
    { name: 'clean-attachments', rhythm: { everyMs: 10 * MINUTE_MS }, job: JOBS.cleanAttachments, payload: {} },
    { name: 'sweep-presence', rhythm: { everyMs: settings.PRESENCE_SWEEP_MS }, job: JOBS.sweepPresence, payload: {} },
    { name: 'check-unread', rhythm: { everyMs: 10 * MINUTE_MS }, job: JOBS.checkUnread, payload: {} },
  ];
}
