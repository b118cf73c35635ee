import { PARTITIONS } from '@parley/domain';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore, type Store } from '../src/store.ts';
import { type Fixture, openEpoch, openFixture } from './fixture.ts';

let fixture: Fixture;
let store: Store;
beforeEach(async () => {
  fixture = await openFixture();
  store = fixture.store;
});
afterEach(() => fixture[Symbol.asyncDispose]());

const SERVER = { runId: 'run-1', replicationId: 'replication-1' };

it('[EPOCH-51] one opening covers every partition, and remembers the server', async () => {
  const opened = await store.ledger.locked(async (lock) => {
    expect(lock.openedOn).toBeNull();
    expect(lock.restored).toBe(false);
    expect(lock.cursors).toHaveLength(PARTITIONS);
    return lock.open(SERVER);
  });
  await store.ledger.locked(async (lock) => {
    expect(lock.openedOn).toEqual(SERVER);
    expect(lock.restored).toBe(false);
    expect(new Set(lock.cursors.map((cursor) => cursor.epoch))).toEqual(new Set([opened]));
  });
});

it('[EPOCH-52] an epoch is greater than every one before it, and not below the clock', async () => {
  const first = await openEpoch(store);
  expect(first).toBeGreaterThanOrEqual(Math.floor(Date.now() / 1000) - 60);
  expect(await openEpoch(store)).toBeGreaterThan(first);
  // One partition may be ahead of the others, and of the clock.
  await fixture.sql('update log_partition set epoch = $1 where partition = 17', [first + 100_000]);
  expect(await openEpoch(store)).toBe(first + 100_001);
});

it('[EPOCH-53] two openers come one after the other, and the lock is held until the work returns', async () => {
  await using other = openStore({ DATABASE_URL: fixture.url }, { name: 'other' });
  const steps: string[] = [];
  const opener = (name: string, s: Store) =>
    s.ledger.locked(async (lock) => {
      steps.push(`${name} in`);
      const epoch = await lock.open(SERVER);
      // What follows the commit, the SET in the log store, is still under the lock.
      await new Promise((resolve) => setTimeout(resolve, 100));
      steps.push(`${name} out`);
      return epoch;
    });
  const [a, b] = await Promise.all([opener('a', store), opener('b', other)]);
  expect(a).not.toBe(b);
  expect(steps.map((step) => step.slice(2))).toEqual(['in', 'out', 'in', 'out']);
  expect(steps[0]?.[0]).toBe(steps[1]?.[0]);
});

it('[EPOCH-54] an opened epoch is committed while the lock is still held', async () => {
  await store.ledger.locked(async (lock) => {
    const epoch = await lock.open(SERVER);
    expect(await fixture.sql('select distinct epoch from log_partition')).toEqual([{ epoch }]);
  });
});

it('[EPOCH-55] work that fails gives its own error and the lock back, and an epoch that it opened stays', async () => {
  let epoch = 0;
  const failing = store.ledger.locked(async (lock) => {
    epoch = await lock.open(SERVER);
    throw new RangeError('connection is closed: said by somebody else');
  });
  await expect(failing).rejects.toThrow(RangeError);
  await store.ledger.locked(async (lock) => expect(lock.cursors[0]?.epoch).toBe(epoch));
});

it('[EPOCH-56] a Postgres with another identity or timeline than the one that opened is a restored one', async () => {
  await openEpoch(store);
  const restored = () => store.ledger.locked(async (lock) => lock.restored);
  expect(await restored()).toBe(false);
  await fixture.sql(`update log_partition set pg_timeline = pg_timeline + 1`);
  expect(await restored()).toBe(true);
  await openEpoch(store);
  expect(await restored()).toBe(false);
  await fixture.sql(`update log_partition set pg_system = 'another'`);
  expect(await restored()).toBe(true);
});

it('[EPOCH-57] an opener that dies gives the lock back', async () => {
  const dead = openStore({ DATABASE_URL: fixture.url }, { name: 'dead-opener' });
  const inside = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const dying = dead.ledger.locked(async () => {
    inside.resolve();
    await release.promise;
  });
  await inside.promise;
  await fixture.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dead-opener'`);
  await openEpoch(store);
  release.resolve();
  await expect(dying).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await dead.stop();
});

it('[EPOCH-100] openers of one process wait for each other without a connection: a small pool is enough for any number', async () => {
  await using small = openStore({ DATABASE_URL: fixture.url, DB_POOL_MAX: 4 }, { name: 'small-pool' });
  const opened = await Promise.all(Array.from({ length: 12 }, () => openEpoch(small)));
  expect(new Set(opened).size).toBe(12);
});
