import type { PresenceReader } from '@parley/domain';
import { JOBS } from '@parley/queue';
import { type Lifecycle, type Log, type Metrics, systemClock } from '@parley/runtime';
import type { Store } from '@parley/store';
import { outletsOn } from './job-settings.ts';
import type { JobWiring } from './job-wiring.ts';
import { createDeliverOffline } from './jobs/deliver-offline.ts';
import { createFanOffline } from './jobs/fan-offline.ts';
import { createPlanDigests } from './jobs/plan-digests.ts';
import { createPostWebhook } from './jobs/post-webhook.ts';
import { createSendDigest } from './jobs/send-digest.ts';
import { OfflineRelay } from './offline/offline-relay.ts';
import { createMailer } from './outlets/mail.ts';
import { createPatience, type Patience } from './outlets/patience.ts';
import { createWebPush, type WebPush } from './outlets/web-push.ts';
import { createWebhooks, type Webhooks } from './outlets/webhook.ts';
import type { WorkerSettings } from './settings.ts';

interface OfflineParts {
  readonly settings: WorkerSettings;
  readonly lifecycle: Lifecycle;
  readonly wiring: JobWiring;
  readonly store: Store;
  readonly presence: PresenceReader;
  readonly logger: Log;
  readonly metrics: Metrics;
}

/** Users, and calls of webhooks, that one process is at at once. */
const USERS_AT_ONCE = 8;
const CALLS_AT_ONCE = 8;
const MAILS_AT_ONCE = 2;

/** What reaches people who are away. Answers who is to be told of committed channels; null when no outlet needs to know. */
export function composeOffline(parts: OfflineParts): OfflineRelay | null {
  const patience = createPatience();
  if (outletsOn(parts.settings).mail) composeDigests(parts, patience);
  const push = webPushOf(parts.settings, patience);
  const webhooks = composeWebhooks(parts, patience);
  if (!push && !webhooks) return null;
  const { settings, lifecycle, wiring, store, presence, logger, metrics } = parts;
  const deliver = wiring.producer(JOBS.deliverOffline);
  const fan = wiring.producer(JOBS.fanOffline);
  const common = { store: store.offline, presence, clock: systemClock };
  const outlets = { push: push !== null, webhook: webhooks !== null };
  wiring.consume(
    JOBS.fanOffline,
    createFanOffline({ ...common, deliver, outlets, afterMs: settings.OFFLINE_AFTER_MS }),
  );
  wiring.consume(
    JOBS.deliverOffline,
    createDeliverOffline({ ...common, metrics, subscriptions: store.push, push, webhooks }),
    USERS_AT_ONCE,
  );
  return lifecycle.supporting(new OfflineRelay({ producer: fan, log: logger }));
}

function webPushOf(settings: WorkerSettings, patience: Patience): WebPush | null {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: subject } = settings;
  if (publicKey === null || privateKey === null || subject === null) return null;
  const rules = { hosts: settings.PUSH_HOSTS, loopback: settings.NODE_ENV !== 'production' };
  return createWebPush({ vapid: { publicKey, privateKey, subject }, rules, patience });
}

function composeWebhooks({ settings, wiring, store }: OfflineParts, patience: Patience): Webhooks | null {
  const { WEBHOOK_URLS: urls, WEBHOOK_SECRET: secret } = settings;
  if (urls.length === 0 || secret === null) return null;
  const run = createPostWebhook({ store: store.offline, urls, secret, patience, clock: systemClock });
  const calls = wiring.producer(JOBS.webhook);
  wiring.consume(JOBS.webhook, run, CALLS_AT_ONCE);
  return createWebhooks({ urls, calls });
}

function composeDigests({ settings, lifecycle, wiring, store, presence }: OfflineParts, patience: Patience): void {
  const { SMTP_URL: url, SMTP_FROM: from, PUBLIC_URL: pageUrl, DIGEST_AFTER_MS: afterMs } = settings;
  if (url === null || from === null) return;
  const mailer = lifecycle.supporting(createMailer({ url, from, patience }));
  const digests = wiring.producer(JOBS.sendDigest);
  const common = { store: store.offline, clock: systemClock };
  wiring.consume(JOBS.planDigests, createPlanDigests({ ...common, digests, afterMs }));
  wiring.consume(JOBS.sendDigest, createSendDigest({ ...common, presence, mailer, pageUrl }), MAILS_AT_ONCE);
}
