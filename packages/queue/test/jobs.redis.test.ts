import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '@parley/domain';
import { createLog, createMetrics } from '@parley/runtime';
import { type RedisServer, startRedis } from '@parley/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  createDeadJobs,
  createProducer,
  createQueueWatch,
  createScheduler,
  Hopeless,
  JOBS,
  JobConsumer,
  queuePrefix,
  type Schedule,
  TryLater,
} from '../src/index.ts';

const log = createLog({ name: 'test', level: 'silent' });
const USER = '20000000-0000-4000-8000-000000000001';
/** The real one, and impatient: a test cannot wait for hours. */
const DELIVER = { ...JOBS.deliverOffline, attempts: 3, backoff: { ...JOBS.deliverOffline.backoff, delay: 10 } };

let redis: RedisServer;
let deployments = 0;
const open: (() => Promise<void>)[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
});

function deploy() {
  const server = { url: redis.url, prefix: queuePrefix(`jobs${++deployments}`) };
  const metrics = createMetrics();
  return {
    server,
    metrics,
    producer() {
      const producer = createProducer({ server, job: DELIVER, log });
      open.push(() => producer.close());
      return producer;
    },
    worker(run: (userId: string) => Promise<void>) {
      const process = ({ userId }: { userId: string }) => run(userId);
      const consumer = new JobConsumer({ server, job: DELIVER, concurrency: 4, log, metrics, process });
      open.push(() => consumer.stop());
      consumer.run();
    },
    dead() {
      const dead = createDeadJobs({ server, log });
      open.push(() => dead.close());
      return dead;
    },
    scheduler(schedules: readonly Schedule[]) {
      const scheduler = createScheduler({ server, schedules, log, againEveryMs: 50 });
      open.push(() => scheduler.stop());
      void scheduler.run();
      return scheduler;
    },
    async ends(): Promise<Record<string, number>> {
      const found = (await metrics.snapshot()).find(({ name }) => name === 'job_seconds');
      const counts = found?.values.filter((value) => 'metricName' in value && value.metricName === 'job_seconds_count');
      return Object.fromEntries(counts?.map(({ labels, value }) => [labels.outcome, value]) ?? []);
    },
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await sleep(10);
  }
}

describe('[JOB-1] schedules', () => {
  const every = (everyMs: number): Schedule => ({
    name: 'often',
    rhythm: { everyMs },
    job: DELIVER,
    payload: { userId: USER },
  });

  test('run once in the whole deployment, however many write and run them', async () => {
    const { scheduler, worker } = deploy();
    const runs: number[] = [];
    for (let i = 0; i < 3; i++) {
      scheduler([every(500)]);
      worker(async () => void runs.push(Date.now()));
    }
    await until(() => runs.length >= 4);
    const spentMs = (runs.at(-1) ?? 0) - (runs[0] ?? 0);
    // Three of each would give nine runs in this time.
    expect(spentMs / (runs.length - 1)).toBeGreaterThan(350);
  });

  test('that are no longer in the table are removed; a new rhythm takes the place of the old one', async () => {
    const { scheduler, worker } = deploy();
    let runs = 0;
    worker(async () => void runs++);
    const first = scheduler([every(3_600_000)]);
    await until(() => runs === 1);
    await first.stop();
    const second = scheduler([every(200)]);
    await until(() => runs >= 3);
    await second.stop();
    scheduler([]);
    await sleep(600);
    const before = runs;
    await sleep(800);
    expect(runs).toBe(before);
  });

  test('that the log store has lost are written again', async () => {
    await using own = await startRedis({ appendonly: 'no' });
    const server = { url: own.url, prefix: queuePrefix('lost') };
    let runs = 0;
    const process = async () => void runs++;
    const consumer = new JobConsumer({ server, job: DELIVER, concurrency: 1, log, process });
    const scheduler = createScheduler({ server, schedules: [every(300)], log, againEveryMs: 50 });
    consumer.run();
    void scheduler.run();
    await until(() => runs >= 2);
    await own.kill();
    await own.restart();
    const before = runs;
    await until(() => runs >= before + 2);
    await Promise.all([scheduler.stop(), consumer.stop()]);
  }, 40_000);
});

describe('[JOB-2] a job', () => {
  test('that cannot be done yet runs again later, and the tries do not count', async () => {
    const { producer, worker, ends, dead } = deploy();
    let runs = 0;
    worker(async () => {
      if (++runs <= 5) throw new TryLater(10, 'not yet');
    });
    await producer().add({ userId: USER });
    await until(() => runs === 6);
    await until(async () => (await ends()).done === 1);
    expect(await ends()).toEqual({ later: 5, done: 1 });
    expect(await dead().list(10)).toEqual([]);
  });

  test('[JOB-14] whose store is away waits for it, and no try counts', async () => {
    const { producer, worker, ends, dead } = deploy();
    let runs = 0;
    worker(async () => {
      if (++runs <= 5) throw new Failure('UNAVAILABLE', 'the database is not available', { retryAfterMs: 10 });
    });
    await producer().add({ userId: USER });
    await until(async () => (await ends()).done === 1);
    expect([runs, await ends()]).toEqual([6, { later: 5, done: 1 }]);
    expect(await dead().list(10)).toEqual([]);
  });

  test('that fails is tried again so many times, and is then a dead letter', async () => {
    const { producer, worker, ends, dead } = deploy();
    let runs = 0;
    worker(async () => {
      runs++;
      throw new Error('no luck');
    });
    await producer().add({ userId: USER });
    await until(async () => (await ends()).dead === 1);
    expect([runs, await ends()]).toEqual([3, { retried: 2, dead: 1 }]);
    expect(await dead().list(10)).toMatchObject([
      { kind: 'deliver-offline', payload: { userId: USER }, reason: 'no luck', tries: 3 },
    ]);
  });

  test('that no try can help is a dead letter at once', async () => {
    const { producer, worker, ends } = deploy();
    worker(async () => {
      throw new Hopeless('never');
    });
    await producer().add({ userId: USER });
    await until(async () => (await ends()).dead === 1);
    expect(await ends()).toEqual({ dead: 1 });
  });

  test('[OFF-17] of one key waits once; an ask during the run makes one more, after its own delay', async () => {
    const { producer, worker } = deploy();
    const adding = producer();
    const options = { onceKey: USER, delayMs: 300 };
    for (let i = 0; i < 5; i++) await adding.addMany([{ payload: { userId: USER }, ...options }]);
    let runs = 0;
    const started = Date.now();
    const at: number[] = [];
    worker(async () => {
      at.push(Date.now() - started);
      if (++runs > 1) return;
      for (let i = 0; i < 5; i++) await adding.add({ userId: USER }, options);
    });
    await until(() => runs === 2);
    await sleep(700);
    expect(runs).toBe(2);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(250);
  });

  test('of one id is there once, also after it ran', async () => {
    const { producer, worker } = deploy();
    const adding = producer();
    let runs = 0;
    worker(async () => void runs++);
    await adding.add({ userId: USER }, { id: 'one' });
    await until(() => runs === 1);
    await adding.addMany([{ payload: { userId: USER }, id: 'one' }]);
    await sleep(300);
    expect(runs).toBe(1);
  });
});

test('[JOB-12] a dead letter of a queue is tried anew, as often as a new job, or discarded', async () => {
  const { producer, worker, dead } = deploy();
  let fails = true;
  let runs = 0;
  worker(async () => {
    runs++;
    if (fails) throw new Error('no luck');
  });
  await producer().addMany([
    { payload: { userId: USER }, id: 'a' },
    { payload: { userId: USER }, id: 'b' },
  ]);
  const letters = dead();
  await until(async () => (await letters.list(10)).length === 2);
  expect(await letters.find('deliver-offline', 'a')).toMatchObject({ id: 'a', tries: 3 });
  expect(await letters.discard('deliver-offline', 'b')).toBe(true);
  expect(await letters.retry('deliver-offline', 'b')).toBe(false);
  expect(await letters.retry('deliver-offline', 'a')).toBe(true);
  await until(async () => runs === 9 && (await letters.list(10)).length === 1);
  fails = false;
  await letters.retry('deliver-offline', 'a');
  await until(() => runs === 10);
  await until(async () => (await letters.list(10)).length === 0);
  expect(await letters.find('no-such-kind', 'a')).toBeNull();
});

test('[JOB-3] operators see how old the oldest waiting job of each kind is, how many wait, and how many are dead letters', async () => {
  const { producer, worker, server, metrics } = deploy();
  const watch = createQueueWatch({ server, log, metrics, everyMs: 30 });
  open.push(() => watch.stop());
  await producer().add({ userId: USER });
  await producer().add({ userId: USER }, { delayMs: 60_000 });
  void watch.run();
  const gauge = async (name: string) => {
    const found = (await metrics.snapshot()).find((metric) => metric.name === name);
    return found?.values.find(({ labels }) => labels.kind === 'deliver-offline')?.value;
  };
  await until(async () => ((await gauge('job_oldest_waiting_seconds')) ?? 0) > 0.1);
  expect([await gauge('job_waiting'), await gauge('job_delayed'), await gauge('job_dead_letters')]).toEqual([1, 1, 0]);
  worker(async () => {
    throw new Hopeless('never');
  });
  await until(async () => (await gauge('job_dead_letters')) === 1);
  expect([await gauge('job_waiting'), await gauge('job_oldest_waiting_seconds')]).toEqual([0, 0]);
});
