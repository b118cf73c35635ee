import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@parley/runtime';
import { freePort, type RedisServer, startRedis } from '@parley/testing';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createDoorbell, createLaneConsumer, JOBS, queuePrefix } from '../src/index.ts';

const log = createLog({ name: 'test', level: 'silent' });
let redis: RedisServer;
let deployments = 0;
const open: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.stop();
});

afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
});

function deploy(options: { lanes?: number; url?: string } = {}) {
  const { lanes = 1, url = redis.url } = options;
  const server = { url, prefix: queuePrefix(`test${++deployments}`) };
  const bell = (metrics = createMetrics()) => {
    const doorbell = createDoorbell({ server, lanes, log, metrics });
    open.push(doorbell);
    return doorbell;
  };
  const worker = (drain: (lane: number, signal: AbortSignal) => Promise<void>, closeWithinMs = 5_000) => {
    const consumer = createLaneConsumer({ server, concurrency: 4, log, drain, closeWithinMs });
    open.push(consumer);
    void consumer.run();
    return consumer;
  };
  return { server, bell, worker };
}

async function until(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not happen in time');
    await sleep(10);
  }
}

async function outcomes(metrics: ReturnType<typeof createMetrics>): Promise<Record<string, number>> {
  const found = (await metrics.snapshot()).find((metric) => metric.name === 'doorbell_rings_total');
  return Object.fromEntries(found?.values.map((value) => [value.labels.outcome, value.value]) ?? []);
}

test('[PERSIST-90] a ring wakes a worker for the lane of its partition', async () => {
  const { bell, worker } = deploy({ lanes: 4 });
  const lanes: number[] = [];
  worker(async (lane) => void lanes.push(lane));
  const doorbell = bell();
  doorbell.ring(1);
  doorbell.ring(63);
  doorbell.ring(5);
  await until(() => lanes.length >= 2);
  await sleep(200);
  expect(new Set(lanes)).toEqual(new Set([1, 3]));
});

test('[PERSIST-91] a thousand rings are few jobs', async () => {
  const { bell, worker } = deploy();
  let jobs = 0;
  worker(async () => void jobs++);
  const metrics = createMetrics();
  const doorbell = bell(metrics);
  const start = Date.now();
  for (let i = 0; i < 1_000; i++) {
    doorbell.ring(i % 64);
    if (i % 10 === 0) await sleep(1);
  }
  const spent = Date.now() - start;
  await until(() => jobs > 0);
  await sleep(200);
  const { rung = 0 } = await outcomes(metrics);
  expect(rung).toBeGreaterThan(0);
  expect(rung).toBeLessThanOrEqual(spent / 50 + 2);
  expect(jobs).toBeLessThanOrEqual(rung);
});

test('[PERSIST-92] rings during a job make exactly one more job after it, from any number of processes', async () => {
  const { bell, worker } = deploy();
  let running = 0;
  let most = 0;
  let jobs = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const drain = async () => {
    jobs++;
    most = Math.max(most, ++running);
    if (jobs === 1) await held;
    running--;
  };
  worker(drain);
  worker(drain);
  const bells = [bell(), bell(), bell()];
  bells[0]?.ring(0);
  await until(() => jobs === 1);
  for (let i = 0; i < 5; i++) {
    for (const doorbell of bells) doorbell.ring(0);
    await sleep(60);
  }
  expect(jobs).toBe(1);
  release();
  await until(() => jobs === 2);
  await sleep(300);
  expect({ jobs, most }).toEqual({ jobs: 2, most: 1 });
});

test('[PERSIST-90] ringing never throws and never waits while the server is away', async () => {
  const { bell } = deploy({ url: `redis://127.0.0.1:${await freePort()}` });
  const metrics = createMetrics();
  const doorbell = bell(metrics);
  for (let i = 0; i < 100; i++) doorbell.ring(i % 64);
  await until(async () => ((await outcomes(metrics)).failed ?? 0) >= 1);
  expect((await outcomes(metrics)).rung).toBeUndefined();
});

test('a doorbell whose server was away at the start, and was killed later, is heard again', async () => {
  await using own = await startRedis();
  await own.kill();
  const { bell, worker } = deploy({ url: own.url });
  let jobs = 0;
  worker(async () => void jobs++);
  const doorbell = bell();
  const ringing = setInterval(() => doorbell.ring(0), 20);
  try {
    await sleep(300);
    expect(jobs).toBe(0);
    await own.restart();
    await until(() => jobs > 0, 15_000);
    await own.kill();
    await sleep(200);
    await own.restart();
    const before = jobs;
    await until(() => jobs > before, 25_000);
  } finally {
    clearInterval(ringing);
  }
  for (const one of open.splice(0).toReversed()) await one.stop();
}, 60_000);

test('[RUN-80] a consumer stops in bounded time, also when its job or its server does not answer', async () => {
  await using own = await startRedis();
  const { bell, worker } = deploy({ url: own.url });
  let started = false;
  let aborted = false;
  const consumer = worker(async (_lane, signal) => {
    started = true;
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    await new Promise(() => {});
  }, 300);
  bell().ring(0);
  await until(() => started);
  await own.kill();
  const start = Date.now();
  await consumer.stop();
  expect(aborted).toBe(true);
  expect(Date.now() - start).toBeLessThan(3_000);
});

test('[PERSIST-93] a job of a newer version waits for a newer worker, one that nobody can read is a dead letter', async () => {
  const { server, worker } = deploy();
  const connection = new Redis(server.url, { maxRetriesPerRequest: 1 });
  const queue = new Queue(JOBS.persistLane.name, { connection, prefix: server.prefix });
  try {
    const newer = await queue.add('persist-lane', { v: 99, lanes: 'all' });
    const broken = await queue.add('persist-lane', { v: 1, lane: 'one' });
    let jobs = 0;
    worker(async () => void jobs++);
    await until(async () => (await newer.getState()) === 'delayed' && (await broken.getState()) === 'failed');
    expect(jobs).toBe(0);
    expect(await queue.getFailedCount()).toBe(1);
  } finally {
    await queue.close();
    connection.disconnect();
  }
});
