import type { Copies, HeaderRegister, Presences, SeenTimes } from '@parley/domain';
import { createQueueWatch, createScheduler, JOBS, type QueueServer } from '@parley/queue';
import { type Lifecycle, type Log, type Metrics, systemClock } from '@parley/runtime';
import { openStore } from '@parley/store';
import { composeFiles } from './compose-files.ts';
import { composeOffline } from './compose-offline.ts';
import { wireJobs } from './job-wiring.ts';
import { createCheckUnread } from './jobs/check-unread.ts';
import { createCountDays } from './jobs/count-days.ts';
import { createForgetIdle } from './jobs/forget-idle.ts';
import { createPresenceSweep } from './jobs/presence-sweep.ts';
import { createRemoveExpired } from './jobs/remove-expired.ts';
import type { OfflineRelay } from './offline/offline-relay.ts';
import { whoIsOnline } from './offline/who-is-online.ts';
import { scheduleOf } from './schedule.ts';
import type { WorkerSettings } from './settings.ts';

interface JobParts {
  readonly settings: WorkerSettings;
  readonly server: QueueServer;
  readonly register: HeaderRegister;
  readonly copies: Pick<Copies, 'clear'>;
  readonly presences: Pick<Presences, 'of'> & SeenTimes;
  readonly logger: Log;
  readonly metrics: Metrics;
}

/** Jobs may take longer than whatever somebody waits for, and must not take its connections. */
const STATEMENT_TIMEOUT_MS = 120_000;
const POOL_MAX = 4;

/** Every job but the drain's. Answers whom the drain tells what it has committed; null when nobody needs to know. */
export function composeJobs(lifecycle: Lifecycle, parts: JobParts): OfflineRelay | null {
  const { settings, server, register, copies, presences, logger, metrics } = parts;
  const limits = { DB_STATEMENT_TIMEOUT_MS: STATEMENT_TIMEOUT_MS, DB_POOL_MAX: POOL_MAX };
  const store = lifecycle.supporting(
    openStore({ ...settings, ...limits }, { name: 'parley-jobs', log: logger, metrics }),
  );
  const wiring = wireJobs({ server, logger, metrics });
  lifecycle.supporting(wiring.producers);
  lifecycle.userFacing(wiring.consumers);
  lifecycle.supporting(createScheduler({ server, schedules: scheduleOf(settings), log: logger }));
  lifecycle.supporting(createQueueWatch({ server, log: logger, metrics }));
  const common = { store: store.housekeeping, register, clock: systemClock, logger, metrics };
  const days = {
    messageDays: settings.MESSAGE_RETENTION_DAYS,
    deletedDays: settings.DELETED_RETENTION_DAYS,
    analyticsDays: settings.ANALYTICS_RETENTION_DAYS,
  };
  wiring.consume(JOBS.removeExpired, createRemoveExpired({ ...common, ...days, copies }));
  wiring.consume(JOBS.forgetIdle, createForgetIdle({ ...common, idleMs: settings.IDLE_AFTER_MS }));
  wiring.consume(JOBS.countDays, createCountDays(common));
  wiring.consume(JOBS.checkUnread, createCheckUnread({ ...common, headers: store.headers }));
  const sweep = createPresenceSweep({ times: presences, store: store.seen });
  wiring.consume(JOBS.sweepPresence, (_payload, signal) => sweep(signal));
  composeFiles({ settings, lifecycle, wiring, store, logger });
  const presence = whoIsOnline(presences, logger);
  return composeOffline({ settings, lifecycle, wiring, store, presence, logger, metrics });
}
