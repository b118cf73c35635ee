import { setTimeout as sleep } from 'node:timers/promises';
import { formatPlace } from '@parley/domain';
import { createDoorbell, createLaneConsumer, queuePrefix } from '@parley/queue';
import { createMetrics } from '@parley/runtime';
import { expect, test } from 'vitest';
import { createCursorFlush } from '../src/drain/cursor-flush.ts';
import { createDrainMetrics } from '../src/drain/drain-metrics.ts';
import { createLaneWatch, WATCH_EVERY_MS } from '../src/drain/lane-watch.ts';
import { createPersistLane } from '../src/jobs/persist-lane.ts';
import { useDrainBench } from './drain-bench.ts';
import { keys, losses, sendMany, silent, until } from './rig.ts';

const bench = useDrainBench();

test('[PERSIST-80] every entry is in Postgres once, in order, for few statements; then log and marks are settled', async () => {
  const all = await bench.channels(20);
  const first = await sendMany(bench.rig, all, { count: 20 });
  await bench.drainer().drain(0, 10_000);
  await bench.rig.sql('select pg_stat_statements_reset()');
  const draining = bench.drainer();
  const sending = sendMany(bench.rig, all, { count: 1_000 });
  while ((await Promise.race([sending, draining.drain(0, 1_000)])) === 'busy');
  const ids = await sending;
  await draining.drain(0, 10_000);
  const [used] = await bench.rig.sql<{ calls: string }>(
    `select coalesce(sum(calls), 0) as calls from pg_stat_statements
     where dbid = (select oid from pg_database where datname = current_database()) and query not like '%pg_stat_statements%'`,
  );
  expect(await losses(bench.rig, [...first, ...ids])).toEqual({ lost: 0, doubled: 0, gaps: 0 });
  expect(Number(used?.calls)).toBeGreaterThan(0);
  expect(Number(used?.calls)).toBeLessThanOrEqual(30);
  expect(await bench.rig.backlog()).toBe(0);
  for (const channelId of all) {
    expect((await bench.rowsOf(channelId)).map((row) => Number(row.n))).toEqual(
      Array.from({ length: 51 }, (_, i) => i + 1),
    );
    expect(await bench.rig.header(channelId)).toMatchObject({ p: '51 51' });
    const [head] = await bench.rig.sql('select n, m from channel_head where channel_id = $1', [channelId]);
    expect(head).toEqual({ n: '51', m: '51' });
  }
});

test('a window keeps its last entries and what is not persisted yet', async () => {
  const [channelId = ''] = await bench.channels(1);
  await sendMany(bench.rig, [channelId], { count: 300, inFlight: 8 });
  const window = `${keys.stemOf(channelId)}win:${channelId}`;
  expect(await bench.rig.redis.xlen(window)).toBe(300);
  await bench.drainer().drain(0, 10_000);
  expect(await bench.rig.redis.xlen(window)).toBe(200);
});

test('[PERSIST-88] several drainers at once write everything once', async () => {
  const all = await bench.channels(12);
  const drainers = [bench.drainer({ lanes: 2 }), bench.drainer({ lanes: 2 }), bench.drainer({ lanes: 2 })];
  let sending = true;
  const draining = drainers.flatMap((one) =>
    [0, 1].map(async (lane) => {
      while (sending) await one.drain(lane, 200);
    }),
  );
  const ids = await sendMany(bench.rig, all, { count: 1_500 });
  sending = false;
  await Promise.all(draining);
  for (const lane of [0, 1]) await drainers[0]?.drain(lane, 10_000);
  await bench.rig.drained();
  expect(await losses(bench.rig, ids)).toEqual({ lost: 0, doubled: 0, gaps: 0 });
});

test('[PERSIST-90] doorbells alone keep up: nobody watches, and everything is written', async () => {
  const server = { url: bench.redisUrl, prefix: queuePrefix('parley') };
  const metrics = createMetrics();
  const doorbell = bench.keep(createDoorbell({ server, lanes: 2, log: silent, metrics }));
  const drain = createPersistLane({ drainer: bench.drainer({ lanes: 2 }), doorbell });
  const consumer = bench.keep(createLaneConsumer({ server, concurrency: 2, log: silent, drain }));
  void consumer.run();
  const all = await bench.channels(10);
  const ids: string[] = [];
  for (let i = 0; i < 60; i++) {
    ids.push(...(await sendMany(bench.rig, all, { count: 5, ring: doorbell })));
    await sleep(10);
  }
  await bench.rig.drained();
  expect(await losses(bench.rig, ids)).toEqual({ lost: 0, doubled: 0, gaps: 0 });
});

test('[PERSIST-95] without any doorbell the watch takes an old lane over', async () => {
  const all = await bench.channels(5);
  const draining = bench.drainer({ lanes: 4 });
  const metrics = createDrainMetrics(createMetrics());
  const watch = createLaneWatch({ log: bench.rig.drainLog, drainer: draining, metrics, logger: silent });
  bench.keep(watch);
  const ids = await sendMany(bench.rig, all, { count: 200 });
  // The control: nobody rings and nobody watches, so nothing happens.
  await sleep(4 * WATCH_EVERY_MS);
  expect(await bench.rig.backlog()).toBe(200);
  watch.run();
  await bench.rig.drained();
  expect(await losses(bench.rig, ids)).toEqual({ lost: 0, doubled: 0, gaps: 0 });
});

test('[UNREAD-80] a moved cursor reaches Postgres, and is not flushed twice', async () => {
  const reader = await bench.rig.user();
  const channelId = await bench.rig.channel([reader]);
  const place = await bench.rig.send(channelId);
  const dirty = `${keys.stemOf(channelId)}rd`;
  await bench.rig.redis.hset(dirty, `${channelId} ${reader}`, `${formatPlace(place)},${formatPlace(place)}`);
  const flush = createCursorFlush({
    log: bench.rig.drainLog,
    store: bench.rig.store.drain,
    logger: silent,
    everyMs: 50,
  });
  bench.keep(flush);
  flush.run();
  const cursor = async () => {
    const [row] = await bench.rig.sql<{ read_n: string }>('select read_n from channel_members where user_id = $1', [
      reader,
    ]);
    return Number(row?.read_n);
  };
  await until('the cursor is flushed', async () => (await cursor()) === place.n);
  await until('it is forgotten', async () => (await bench.rig.redis.hlen(dirty)) === 0);
});
