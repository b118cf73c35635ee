import { pushSettings } from '@parley/queue';
import { integer, list, setting, text, url, type Values } from '@parley/runtime';

/** What reaches people who are away, and what keeps the stores in order. Every outlet is off without its settings. */
export const jobSettings = {
  ...pushSettings,
  VAPID_PRIVATE_KEY: setting(text().nullable(), null, 'The other half of VAPID_PUBLIC_KEY', { secret: true }),
  VAPID_SUBJECT: setting(
    text().nullable(),
    null,
    'Whom push services write to about this deployment: mailto: or https:',
  ),
  WEBHOOK_URLS: setting(list(), [], 'Called for what members miss while they are away, with commas; empty: nobody is'),
  WEBHOOK_SECRET: setting(text().nullable(), null, 'Key of the signature that each webhook call carries', {
    secret: true,
  }),
  SMTP_URL: setting(
    url(['smtp', 'smtps']).nullable(),
    null,
    'Mail server; with it and SMTP_FROM people get a digest of what they have not read',
    { secret: true },
  ),
  SMTP_FROM: setting(text().nullable(), null, 'Sender of the digests: Parley <chat@example.org>'),
  PUBLIC_URL: setting(url(['http', 'https']).nullable(), null, 'Where people open the page: the link in a digest'),
  OFFLINE_AFTER_MS: setting(
    integer({ min: 0, max: 3_600_000 }),
    5_000,
    'How long a message may wait for its reader to come back before he is told of it elsewhere',
  ),
  DIGEST_AFTER_MS: setting(
    integer({ min: 1_000, max: 7 * 86_400_000 }),
    4 * 3_600_000,
    'How long a message may be unread before its reader gets a digest; also the least time between two of his',
  ),
  MESSAGE_RETENTION_DAYS: setting(
    integer({ min: 1, max: 36_500 }).nullable(),
    null,
    'Days after which messages are removed for good; without it they are kept',
  ),
  DELETED_RETENTION_DAYS: setting(
    integer({ min: 0, max: 36_500 }),
    30,
    'Days after which the words of a deleted message are removed for good',
  ),
  ANALYTICS_RETENTION_DAYS: setting(integer({ min: 2, max: 36_500 }), 400, 'Days for which daily counts are kept'),
  IDLE_AFTER_MS: setting(
    integer({ min: 1_000, max: 86_400_000 }),
    3_600_000,
    'How long a channel must be quiet before the log store forgets its header and window',
  ),
};

/** The values of `jobSettings`. */
export type JobSettings = Values<typeof jobSettings>;

/** Settings that only make sense together: one line for each that is alone. */
export function jobSettingProblems(settings: JobSettings): string[] {
  const { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT, WEBHOOK_URLS, WEBHOOK_SECRET } = settings;
  const { SMTP_URL, SMTP_FROM } = settings;
  return [
    ...together({ VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT }),
    ...bytes({ VAPID_PUBLIC_KEY }, 65),
    ...bytes({ VAPID_PRIVATE_KEY }, 32),
    ...(VAPID_SUBJECT === null || /^(mailto:|https:\/\/)./.test(VAPID_SUBJECT)
      ? []
      : ['VAPID_SUBJECT: expected an address that begins with mailto: or https://']),
    ...together({ WEBHOOK_URLS: WEBHOOK_URLS.length > 0 || null, WEBHOOK_SECRET }),
    ...together({ SMTP_URL, SMTP_FROM }),
    ...WEBHOOK_URLS.filter((one) => !url(['http', 'https']).safeParse(one).success).map(
      (one) => `WEBHOOK_URLS: expected URLs that begin with http:// or https://, found ${JSON.stringify(one)}`,
    ),
  ];
}

/** What is shown is the length: one of them is a secret. */
function bytes(key: Readonly<Record<string, string | null>>, length: number): string[] {
  return Object.entries(key).flatMap(([name, value]) => {
    const found = value === null ? length : Buffer.from(value, 'base64url').length;
    return found === length ? [] : [`${name}: expected ${length} bytes as base64url, found ${found}`];
  });
}

function together(values: Readonly<Record<string, unknown>>): string[] {
  const names = Object.keys(values);
  const missing = names.filter((name) => values[name] === null);
  if (missing.length === 0 || missing.length === names.length) return [];
  return missing.map((name) => `${name}: required by ${names.filter((other) => !missing.includes(other)).join(', ')}`);
}

/** Which outlets have their settings. */
export function outletsOn(settings: JobSettings): { push: boolean; webhook: boolean; mail: boolean } {
  return {
    push: settings.VAPID_PUBLIC_KEY !== null,
    webhook: settings.WEBHOOK_URLS.length > 0,
    mail: settings.SMTP_URL !== null,
  };
}
