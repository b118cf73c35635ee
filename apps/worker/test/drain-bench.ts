import type { DrainLog } from '@parley/domain';
import { createMetrics, systemClock } from '@parley/runtime';
import { migrate } from '@parley/store';
import { type RedisServer, startRedis } from '@parley/testing';
import { type TestDatabase, testDatabase } from '@parley/testing/vitest';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createDrainMetrics } from '../src/drain/drain-metrics.ts';
import { createDrainer, type Drainer } from '../src/drain/drainer.ts';
import type { DrainParts } from '../src/drain/lane-writer.ts';
import { keys, type Rig, silent, startRig } from './rig.ts';

const TEMPLATE = { template: { name: 'worker', build: (url: string) => migrate(url) } };

/** Drainers in the test's own process, on real servers: an empty log and a new database for each test. */
export function useDrainBench() {
  let redis: RedisServer;
  let database: TestDatabase;
  let rig: Rig | undefined;
  const kept: { stop(): Promise<void> }[] = [];

  beforeAll(async () => {
    redis = await startRedis({ appendonly: 'everysec' });
  });

  beforeEach(async () => {
    database = await testDatabase(TEMPLATE);
    rig = await startRig({ redisUrl: redis.url, databaseUrl: database.url, empty: true });
  });

  afterEach(async () => {
    for (const one of kept.splice(0).toReversed()) await one.stop();
    await rig?.[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
  });

  const bench = {
    get rig(): Rig {
      if (!rig) throw new Error('no rig outside a test');
      return rig;
    },
    get redisUrl(): string {
      return redis.url;
    },
    /** Stops it after the test. */
    keep<T extends { stop(): Promise<void> }>(one: T): T {
      kept.push(one);
      return one;
    },
    drainer(parts: Partial<DrainParts> & { lanes?: number } = {}): Drainer {
      return bench.keep(
        createDrainer({
          lanes: 1,
          log: bench.rig.drainLog,
          store: bench.rig.store.drain,
          ledger: bench.rig.store.ledger,
          sets: { changed: () => Promise.resolve() },
          clock: systemClock,
          metrics: createDrainMetrics(createMetrics()),
          logger: silent,
          unsafeTrimBeforeCommit: false,
          ...parts,
        }),
      );
    },
    /** The real log, but for the given parts. */
    logBut(change: Partial<DrainLog>): DrainLog {
      const { drainLog } = bench.rig;
      return {
        read: (cursors, count) => drainLog.read(cursors, count),
        oldestAgeMs: (partitions) => drainLog.oldestAgeMs(partitions),
        settle: (settlement) => drainLog.settle(settlement),
        dirtyCursors: (partition, count) => drainLog.dirtyCursors(partition, count),
        cursorsFlushed: (partition, rows) => drainLog.cursorsFlushed(partition, rows),
        renew: () => drainLog.renew(),
        ...change,
      };
    },
    channels: (count: number) => Promise.all(Array.from({ length: count }, () => bench.rig.channel())),
    rowsOf: (channelId: string) =>
      bench.rig.sql<{ n: string; body: string }>(
        'select n, body from messages where channel_id = $1 order by epoch, n',
        [channelId],
      ),
    /** Appends a line to the log behind everybody's back, as an entry of the current epoch. */
    async plant(channelId: string, line: string): Promise<void> {
      const { redis: raw, epochs } = bench.rig;
      await raw.xadd(`${keys.stemOf(channelId)}log`, `${epochs.current.epoch}-*`, 'l', line);
    },
  };
  return bench;
}
