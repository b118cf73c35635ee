import { SettingsError } from '@parley/runtime';
import { expect, test } from 'vitest';
import webPush from 'web-push';
import { outletsOn } from '../src/job-settings.ts';
import { readWorkerSettings } from '../src/settings.ts';

const good = {
  DATABASE_URL: 'postgres://localhost/parley',
  REDIS_LOG_URL: 'redis://localhost',
  REDIS_CACHE_URL: 'redis://127.0.0.1',
};

function problems(env: Record<string, string>): readonly string[] {
  try {
    readWorkerSettings(env);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

test('three URLs are enough', () => {
  expect(readWorkerSettings(good)).toMatchObject({ LANES: 1, OPS_PORT: null, UNSAFE_TRIM_BEFORE_COMMIT: false });
});

test('every bad setting is named at once', () => {
  const found = problems({ LANES: '65', WORKER_CONCURRENCY: 'many', OPS_PORT: '0' });
  const names = found.map((problem) => problem.split(':')[0]);
  expect(names).toEqual(
    expect.arrayContaining([
      'DATABASE_URL',
      'REDIS_LOG_URL',
      'REDIS_CACHE_URL',
      'LANES',
      'WORKER_CONCURRENCY',
      'OPS_PORT',
    ]),
  );
});

test('[PERSIST-94] the switch that loses messages is refused in production', () => {
  const unsafe = { ...good, UNSAFE_TRIM_BEFORE_COMMIT: 'true' };
  expect(problems({ ...unsafe, NODE_ENV: 'production' })).toHaveLength(1);
  expect(problems({ ...unsafe, NODE_ENV: 'test' })).toEqual([]);
});

test('[OFF-16] every outlet is off without its settings, and half of them is refused by name', () => {
  expect(outletsOn(readWorkerSettings(good))).toEqual({ push: false, webhook: false, mail: false });
  const vapid = webPush.generateVAPIDKeys();
  const whole = {
    ...{
      VAPID_PUBLIC_KEY: vapid.publicKey,
      VAPID_PRIVATE_KEY: vapid.privateKey,
      VAPID_SUBJECT: 'mailto:ops@example.org',
    },
    ...{ WEBHOOK_URLS: 'https://a.example/hook, http://b.example/', WEBHOOK_SECRET: 's' },
    ...{ SMTP_URL: 'smtp://localhost', SMTP_FROM: 'Parley <chat@example.org>' },
  };
  expect(outletsOn(readWorkerSettings({ ...good, ...whole }))).toEqual({ push: true, webhook: true, mail: true });
  for (const name of Object.keys(whole)) {
    const found = problems({ ...good, ...whole, [name]: '' });
    expect(found, name).toHaveLength(1);
    expect(found[0]).toContain(name);
  }
  for (const bad of [{ WEBHOOK_URLS: 'ftp://a.example' }, { VAPID_PRIVATE_KEY: 'short' }, { VAPID_SUBJECT: 'ops' }]) {
    expect(problems({ ...good, ...whole, ...bad })).toHaveLength(1);
  }
});
