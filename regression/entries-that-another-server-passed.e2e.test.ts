import { randomUUID } from 'node:crypto';
import { ENTRY_KINDS, parseLine, RANKS } from '@parley/domain';
import { expect, it } from 'vitest';
import { useDrainBench } from '../apps/worker/test/drain-bench.ts';
import { losses, sendMany } from '../apps/worker/test/rig.ts';

// Two servers took themselves for the log store. The other one opened an epoch, and its drain moved the cursor past entries of this one that
// nobody had written. They were taken for committed: told as persisted, and dropped.

const bench = useDrainBench();

/** Postgres, as the drain of another server leaves it: in an epoch of its own, the cursor in it, and the channel's head, too. */
async function passedByAnother(channelId: string): Promise<number> {
  const epoch = bench.rig.epochs.current.epoch + 1;
  const moved = "epoch = $1, read_epoch = $1, read_k = 7, run_id = 'other', replication_id = 'other'";
  await bench.rig.sql(`update log_partition set ${moved}`, [epoch]);
  await bench.rig.sql('insert into channel_head (channel_id, epoch, n, m, at) values ($1, $2, 3, 3, 1)', [
    channelId,
    epoch,
  ]);
  return epoch;
}

it('[PERSIST-122] what the cursor has passed and nobody wrote is written, and only then called persisted', async () => {
  const [channelId = ''] = await bench.channels(1);
  const ids = await sendMany(bench.rig, [channelId], { count: 5, inFlight: 1 });
  const other = await passedByAnother(channelId);
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(await losses(bench.rig, ids)).toMatchObject({ lost: 0, doubled: 0 });
  expect(await bench.rig.backlog()).toBe(0);
  const [head] = await bench.rig.sql<{ epoch: string; n: string }>('select epoch, n from channel_head');
  expect(head).toMatchObject({ epoch: String(other), n: '3' });
  const [cursor] = await bench.rig.sql<{ low: string }>('select min(read_epoch) as low from log_partition');
  expect(Number(cursor?.low)).toBeGreaterThanOrEqual(other);
  const next = await sendMany(bench.rig, [channelId], { count: 1 });
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(await losses(bench.rig, next)).toMatchObject({ lost: 0, doubled: 0 });
});

it('[PERSIST-122] a change among it is refused aloud: it would undo what came after it', async () => {
  const [channelId = ''] = await bench.channels(1);
  await bench.rig.send(channelId);
  const userId = await bench.rig.user();
  const [actorId, operationId, rank] = [bench.rig.userId, randomUUID(), RANKS.member];
  const payload = { id: operationId, channelId, actorId, userId, rank, name: 'x' };
  const json = JSON.stringify(payload);
  const change = { channelId, actorId, operationId, userId, rank, leastRank: RANKS.admin, json };
  const joined = await bench.rig.log.change({ ...change, kind: ENTRY_KINDS.joined });
  expect(joined).toMatchObject({ type: 'accepted' });
  await passedByAnother(channelId);
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(await bench.rig.sql('select 1 from channel_members where user_id = $1', [userId])).toEqual([]);
  expect(await bench.rig.sql('select 1 from dead_letter')).toHaveLength(1);
  expect(bench.rig.published.some(({ line }) => parseLine(line)?.kind === 'H')).toBe(true);
});
