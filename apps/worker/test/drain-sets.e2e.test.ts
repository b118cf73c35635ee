import { randomUUID } from 'node:crypto';
import { ENTRY_KINDS, RANKS } from '@parley/domain';
import { expect, test } from 'vitest';
import { useDrainBench } from './drain-bench.ts';
import { until } from './rig.ts';

const bench = useDrainBench();

async function join(channelId: string, userId: string): Promise<void> {
  const operationId = randomUUID();
  const actorId = bench.rig.userId;
  const json = JSON.stringify({ id: operationId, channelId, actorId, userId, rank: RANKS.member, name: 'x' });
  const entry = { channelId, actorId, operationId, userId, rank: RANKS.member, leastRank: RANKS.moderator, json };
  expect((await bench.rig.log.change({ ...entry, kind: ENTRY_KINDS.joined })).type).toBe('accepted');
}

const isMember = async (channelId: string, userId: string) =>
  (await bench.rig.store.archive.membersById(channelId, [userId])).length === 1;

test('[CACHE-40] a set is forgotten when Postgres has the change, and before anybody hears that it is persisted', async () => {
  const [channelId = ''] = await bench.channels(1);
  const userId = await bench.rig.user();
  await bench.rig.send(channelId);
  await join(channelId, userId);
  const steps: string[] = [];
  const drainer = bench.drainer({
    sets: {
      changed: async (userIds) => {
        const written = userIds.length > 0 && (await isMember(channelId, userId));
        steps.push(`changed ${userIds.join()} ${written}`);
      },
    },
    log: bench.logBut({
      settle: async (settlement) => {
        steps.push('settled');
        await bench.rig.drainLog.settle(settlement);
      },
    }),
  });
  expect(await drainer.drain(0, 10_000)).toBe('empty');
  expect(steps).toEqual([`changed ${userId} true`, 'settled']);
  // Messages move nobody.
  await bench.rig.send(channelId);
  expect(await drainer.drain(0, 10_000)).toBe('empty');
  expect(steps.slice(2)).toEqual(['changed  false', 'settled']);
});

test('[CACHE-41] a set whose change was committed by a worker that died is forgotten by the next', async () => {
  const [channelId = ''] = await bench.channels(1);
  const userId = await bench.rig.user();
  await bench.rig.send(channelId);
  await join(channelId, userId);
  const death = Promise.withResolvers<void>();
  const dying = bench.drainer({ sets: { changed: () => death.promise } });
  void dying.drain(0, 10_000);
  await until('it is committed', () => isMember(channelId, userId));
  const forgotten: string[] = [];
  const next = bench.drainer({ sets: { changed: async (userIds) => void forgotten.push(...userIds) } });
  expect(await next.drain(0, 10_000)).toBe('empty');
  expect(forgotten).toEqual([userId]);
  death.resolve();
});
