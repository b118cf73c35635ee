import { SettingsError } from '@parley/runtime';
import { expect, test } from 'vitest';
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
