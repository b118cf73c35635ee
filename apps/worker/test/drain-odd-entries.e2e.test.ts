import { randomUUID } from 'node:crypto';
import { formatPlace, LINE_VERSION, parseLine, partitionOf } from '@parley/domain';
import { expect, test } from 'vitest';
import { useDrainBench } from './drain-bench.ts';
import { losses, sendMany, until } from './rig.ts';

const bench = useDrainBench();

test('[PERSIST-84] a poison entry among good ones becomes a dead letter and a hole; the others are written', async () => {
  const [channelId = '', other = ''] = await bench.channels(2);
  const poison = randomUUID();
  const good = await sendMany(bench.rig, [channelId, other], { count: 40, inFlight: 1 });
  const place = await bench.rig.send(channelId, { body: 'a \u0000', clientMsgId: poison });
  const more = await sendMany(bench.rig, [channelId, other], { count: 41, inFlight: 1 });
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(await losses(bench.rig, [...good, ...more])).toEqual({ lost: 0, doubled: 0, gaps: 0 });
  expect(await bench.rig.backlog()).toBe(0);
  const letters = await bench.rig.sql('select channel_id, channel_n, sender_id, client_msg_id from dead_letter');
  expect(letters).toEqual([
    { channel_id: channelId, channel_n: String(place.n), sender_id: bench.rig.userId, client_msg_id: poison },
  ]);
  const changes = await bench.rig.sql('select kind, n, operation_id from log_change where channel_id = $1', [
    channelId,
  ]);
  expect(changes).toEqual([{ kind: 'x', n: String(place.n), operation_id: poison }]);
  await until('the hole is published', () => bench.rig.published.some(({ line }) => parseLine(line)?.kind === 'H'));
  const notice = bench.rig.published.map(({ line }) => parseLine(line)).find((line) => line?.kind === 'H');
  expect(notice?.place).toEqual(place);
  expect(JSON.parse(notice?.json ?? '')).toMatchObject({ senderId: bench.rig.userId, clientMsgId: poison, by: null });
  expect((await bench.rig.header(channelId)).x).toBe(`${place.n}:${place.m}`);
});

test('[PERSIST-85] a line that nobody can read becomes a dead letter with its bytes', async () => {
  const [channelId = ''] = await bench.channels(1);
  await bench.rig.send(channelId);
  await bench.plant(channelId, 'no line');
  await bench.rig.send(channelId);
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(await bench.rowsOf(channelId)).toHaveLength(2);
  const [letter] = await bench.rig.sql<{ line: Buffer; reason: string }>('select line, reason from dead_letter');
  expect([letter?.line.toString(), letter?.reason]).toEqual(['no line', 'not a line']);
});

test('[PERSIST-120] a line whose own kind Postgres cannot hold becomes a dead letter; its lane goes on', async () => {
  const [channelId = ''] = await bench.channels(1);
  await bench.plant(channelId, `${LINE_VERSION} \u0000 ${formatPlace({ epoch: 1, n: 1, m: 1, at: 1 })} {}`);
  await bench.rig.send(channelId);
  const drainer = bench.drainer();
  void drainer.drain(0, 10_000);
  await until('what is behind it is written', async () => (await bench.rowsOf(channelId)).length === 1);
  expect(await bench.rig.sql('select k from dead_letter')).toEqual([{ k: '0' }]);
});

test('[PERSIST-87] a twin of what Postgres has becomes a hole that names the one that stands', async () => {
  const [channelId = ''] = await bench.channels(1);
  const clientMsgId = randomUUID();
  await bench.rig.send(channelId, { clientMsgId });
  await bench.drainer().drain(0, 10_000);
  // Its answer is forgotten after an hour.
  const answers = await bench.rig.redis.keys('*:dd:*');
  await bench.rig.redis.del(answers);
  const twin = await bench.rig.send(channelId, { clientMsgId });
  await bench.drainer().drain(0, 10_000);
  expect(twin.n).toBe(2);
  expect(await bench.rig.header(channelId)).toMatchObject({ p: '2 2', x: '2:2' });
  await until('the hole is published', () => bench.rig.published.some(({ line }) => parseLine(line)?.kind === 'H'));
  const notice = bench.rig.published.map(({ line }) => parseLine(line)).find((line) => line?.kind === 'H');
  expect(JSON.parse(notice?.json ?? '')).toMatchObject({ by: `${twin.epoch}-1`, reason: 'superseded' });
});

test('[PERSIST-86] a newer version waits in the log, and only its partition with it', async () => {
  const [held = ''] = await bench.channels(1);
  let free = held;
  while (partitionOf(free) === partitionOf(held)) free = await bench.rig.channel();
  await bench.rig.send(held);
  const place = { epoch: bench.rig.epochs.current.epoch, n: 2, m: 2, at: Date.now() };
  await bench.plant(held, `${LINE_VERSION + 1} c ${formatPlace(place)} {"later":true}`);
  await bench.rig.send(free);
  expect(await bench.drainer().drain(0, 10_000)).toBe('empty');
  expect(await bench.rowsOf(held)).toHaveLength(1);
  expect(await bench.rowsOf(free)).toHaveLength(1);
  expect(await bench.rig.backlog()).toBe(1);
  expect(await bench.rig.sql('select * from dead_letter')).toEqual([]);
});
