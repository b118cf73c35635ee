import { createMetrics } from '@parley/runtime';
import { testDatabase } from '@parley/testing/vitest';
import { expect, it } from 'vitest';
import { Database } from '../src/database.ts';
import { migrate } from '../src/migrate.ts';
import { openStore } from '../src/store.ts';

it('[MET-8] statements are timed by how they ended, slow ones named, and each pool says how it is used', async () => {
  await using db = await testDatabase({ template: { name: 'store', build: migrate } });
  const metrics = createMetrics();
  const value = async (series: string) => {
    const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };
  const settings = { DATABASE_URL: db.url, DB_POOL_MAX: 4, DB_SLOW_STATEMENT_MS: 60_000 };
  await using api = openStore(settings, { name: 'parley-api', metrics });
  await using jobs = openStore(
    { ...settings, DB_POOL_MAX: 5, DB_SLOW_STATEMENT_MS: 1 },
    { name: 'parley-jobs', metrics },
  );
  const checks = await Promise.all(Array.from({ length: 12 }, () => api.check()));
  expect(await value('postgres_statement_seconds_count{pool="api",outcome="ok"}')).toBe(checks.length);
  expect(await value('postgres_statement_seconds_count{pool="api",outcome="failed"}')).toBe(0);
  expect(await value('postgres_pool_max_connections{pool="api"}')).toBe(4);
  expect(await value('postgres_pool_max_connections{pool="jobs"}')).toBe(5);
  expect(await value('postgres_pool_connections{pool="api",state="idle"}')).toBeGreaterThan(0);
  expect(await value('postgres_pool_connections{pool="api",state="busy"}')).toBe(0);
  expect(await value('postgres_pool_waiting{pool="api"}')).toBe(0);
  // Control: nothing was slow where a minute is allowed; a wait behind a lock is, where a millisecond is.
  expect(await metrics.text()).not.toContain('postgres_slow_statements_total{');
  await using beside = new Database({ ...options, url: db.url });
  const waiting: Promise<unknown>[] = [];
  await beside.during('slow', ['lock table users in access exclusive mode'], async () => {
    waiting.push(jobs.archive.users(['00000000-0000-4000-8000-000000000001']));
    await expect.poll(() => value('postgres_pool_connections{pool="jobs",state="busy"}')).toBe(1);
  });
  await Promise.all(waiting);
  expect(await metrics.text()).toMatch(/postgres_slow_statements_total\{statement="\w+"\} [1-9]/);
  await expect(jobs.archive.users(['no id'])).rejects.toThrow();
  expect(await value('postgres_statement_seconds_count{pool="jobs",outcome="failed"}')).toBe(1);
});

const options = {
  schema: null,
  applicationName: 'beside',
  poolMax: 4,
  statementTimeoutMs: 5_000,
  warn: () => undefined,
};
