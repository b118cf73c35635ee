import { parseLine } from '@parley/domain';
import { expect, test } from 'vitest';
import { useDrainBench } from './drain-bench.ts';
import { keys, losses, sendMany, until } from './rig.ts';

const bench = useDrainBench();

test('[PERSIST-83] a commit whose settlement was lost is settled by the next drain, with its holes', async () => {
  const [channelId = '', quiet = ''] = await bench.channels(2);
  await bench.rig.send(quiet);
  await bench.rig.send(channelId);
  await bench.rig.send(channelId, { body: 'nobody can store a \u0000' });
  await bench.rig.send(channelId);
  // A worker that never gets to settle: killed each time between the two.
  const dying = bench.drainer({ log: bench.logBut({ settle: () => Promise.resolve() }) });
  void dying.drain(0, Number.POSITIVE_INFINITY);
  const count = async () =>
    Number((await bench.rig.sql<{ all: string }>('select count(*) as all from messages'))[0]?.all);
  await until('all is committed', async () => (await count()) === 3);
  await until('and the poison is buried', async () => (await bench.rig.sql('select 1 from dead_letter')).length === 1);
  await dying.stop();
  expect(await bench.rig.backlog()).toBe(4);
  expect(await bench.rig.header(channelId)).toMatchObject({ p: '0 0' });

  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(await bench.rig.backlog()).toBe(0);
  expect(await count()).toBe(3);
  expect(await bench.rig.header(quiet)).toMatchObject({ p: '1 1' });
  expect(await bench.rig.header(channelId)).toMatchObject({ p: '3 3', x: '2:2' });
  const marks = bench.rig.published.filter(({ line }) => parseLine(line)?.kind === 'P').map(({ channelId: of }) => of);
  expect(new Set(marks)).toEqual(new Set([channelId, quiet]));
});

test('[EPOCH-80] a partition whose epoch key is missing gets a new epoch, and its entries are written', async () => {
  const [channelId = ''] = await bench.channels(1);
  await bench.rig.send(channelId);
  const before = bench.rig.epochs.current.epoch;
  await bench.rig.redis.del(`${keys.stemOf(channelId)}epoch`);
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(bench.rig.epochs.current.epoch).toBeGreaterThan(before);
  expect(await bench.rowsOf(channelId)).toHaveLength(1);
  const next = await bench.rig.send(channelId);
  expect(next).toMatchObject({ epoch: bench.rig.epochs.current.epoch, n: 1, m: 2 });
});

test('[EPOCH-81] a gap in the log ends the epoch; what is behind it is written', async () => {
  const [channelId = ''] = await bench.channels(1);
  for (let i = 0; i < 3; i++) await bench.rig.send(channelId);
  const before = bench.rig.epochs.current.epoch;
  await bench.rig.redis.xdel(`${keys.stemOf(channelId)}log`, `${before}-1`);
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(bench.rig.epochs.current.epoch).toBeGreaterThan(before);
  expect((await bench.rowsOf(channelId)).map((row) => row.n)).toEqual(['1', '3']);
});

test('[PERSIST-89] a store that fails is tried again until it does not; the drain never rejects', async () => {
  const [channelId = ''] = await bench.channels(1);
  const ids = await sendMany(bench.rig, [channelId], { count: 10, inFlight: 1 });
  let failures = 0;
  const flaky = bench.drainer({
    store: {
      ...bench.rig.store.drain,
      async commit(batch) {
        if (failures++ < 2) throw new Error('the server closed the connection');
        const result = await bench.rig.store.drain.commit(batch);
        if (failures === 3) throw new Error('the answer was lost');
        return result;
      },
    },
  });
  expect(await flaky.drain(0, 1)).toBe('busy');
  expect(await flaky.drain(0, 10_000)).toBe('empty');
  expect(failures).toBe(3);
  expect(await losses(bench.rig, ids)).toEqual({ lost: 0, doubled: 0, gaps: 0 });
  expect(await bench.rig.backlog()).toBe(0);
  expect(await bench.rig.header(channelId)).toMatchObject({ p: '10 10' });
});

test('[PERSIST-81] an entry leaves the log only after the commit', async () => {
  const lossOf = async (unsafeTrimBeforeCommit: boolean) => {
    const all = await bench.channels(3);
    const ids = await sendMany(bench.rig, all, { count: 30, inFlight: 1 });
    // A worker that is killed at its commit, and another one that goes on.
    const dying = bench.drainer({
      unsafeTrimBeforeCommit,
      store: { ...bench.rig.store.drain, commit: () => Promise.reject(new Error('killed')) },
    });
    void dying.drain(0, Number.POSITIVE_INFINITY);
    await until('the commit was tried', async () => (await bench.rig.backlog()) === (unsafeTrimBeforeCommit ? 0 : 30));
    await dying.stop();
    await bench.drainer().drain(0, 10_000);
    return (await losses(bench.rig, ids)).lost;
  };
  expect(await lossOf(false)).toBe(0);
  // The control: the same worker with the protection off loses what it had read.
  expect(await lossOf(true)).toBe(30);
});

test('[PERSIST-121] a read that is too large to be answered in time is made smaller', async () => {
  const [channelId = ''] = await bench.channels(1);
  await bench.rig.send(channelId);
  const asked: number[] = [];
  let patience = Number.POSITIVE_INFINITY;
  const slow = bench.drainer({
    log: bench.logBut({
      read: async (cursors, count) => {
        asked.push(cursors.length * count);
        if (cursors.length * count > patience) throw new Error('Command timed out');
        return bench.rig.drainLog.read(cursors, count);
      },
    }),
  });
  // One busy partition: from now on 500 entries of each of the 64 are asked for.
  expect(await slow.drain(0, 10_000)).toBe('empty');
  expect(asked.at(-1)).toBe(64 * 500);
  // Then every partition has a backlog, as after a while without this worker.
  patience = 2_000;
  await bench.rig.send(channelId);
  expect(await slow.drain(0, 10_000)).toBe('empty');
  expect(await bench.rowsOf(channelId)).toHaveLength(2);
});
