import { createLog } from '@parley/runtime';
import { startRedis } from '@parley/testing';
import { expect, test } from 'vitest';
import {
  createDeadJobs,
  createJobPurge,
  createProducer,
  Hopeless,
  JOBS,
  JobConsumer,
  queuePrefix,
} from '../src/index.ts';

const log = createLog({ name: 'test', level: 'silent' });
const [ada, bob] = ['20000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000002'];

test('[ADMIN-56] jobs that name an erased user are gone, whether done, dead or still to be done; those of others stay', async () => {
  await using redis = await startRedis();
  const server = { url: redis.url, prefix: queuePrefix('purge') };
  await using owned = new AsyncDisposableStack();
  const [calls, deliveries] = [
    createProducer({ server, job: JOBS.webhook, log }),
    createProducer({ server, job: JOBS.deliverOffline, log }),
  ];
  const [dead, purge] = [createDeadJobs({ server, log }), createJobPurge({ server, log })];
  for (const one of [calls, deliveries, dead]) owned.defer(() => one.close());
  owned.defer(() => purge.stop());
  const call = (userId: string, end: 'done' | 'dead') => ({
    url: `https://example.org/${end}`,
    deliveryId: 'one',
    userId,
    channelId: '10000000-0000-4000-8000-000000000001',
    after: '0-0',
    upTo: '1-1',
  });
  const ended = Promise.withResolvers<void>();
  let runs = 0;
  const consumer = new JobConsumer({
    server,
    job: JOBS.webhook,
    concurrency: 1,
    log,
    process: async ({ url }) => {
      if (++runs === 4) ended.resolve();
      if (url.endsWith('dead')) throw new Hopeless('refused');
    },
  });
  await consumer.run();
  for (const userId of [ada, bob]) {
    await calls.addMany([{ payload: call(userId, 'done') }, { payload: call(userId, 'dead') }]);
    await deliveries.add({ userId });
  }
  await ended.promise;
  await consumer.stop();
  // Nobody runs these any more.
  for (const userId of [ada, bob]) await calls.addMany([{ payload: call(userId, 'done'), delayMs: 60_000 }]);
  expect(await dead.list(10)).toHaveLength(2);
  expect(await purge.purge(ada)).toBe(4);
  expect((await dead.list(10)).map(({ payload }) => JSON.stringify(payload).includes(bob))).toEqual([true]);
  expect(await purge.purge(ada)).toBe(0);
  expect(await purge.purge(bob)).toBe(4);
});

test('[ADMIN-56] a job that is being done at that moment is kept without the name', async () => {
  await using redis = await startRedis();
  const server = { url: redis.url, prefix: queuePrefix('purge') };
  await using owned = new AsyncDisposableStack();
  const [deliveries, purge] = [
    createProducer({ server, job: JOBS.deliverOffline, log }),
    createJobPurge({ server, log }),
  ];
  owned.defer(() => deliveries.close());
  owned.defer(() => purge.stop());
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const consumer = new JobConsumer({
    server,
    job: JOBS.deliverOffline,
    concurrency: 1,
    log,
    process: () => {
      begun.resolve();
      return held.promise;
    },
  });
  await consumer.run();
  await deliveries.add({ userId: ada });
  await begun.promise;
  expect(await purge.purge(ada)).toBe(0);
  held.resolve();
  await consumer.stop();
  expect(await purge.purge(ada)).toBe(0);
});
