import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from '@parley/domain';
import { comparePositions, type Position } from '@parley/protocol';
import { expect, test } from 'vitest';
import { sharedHistory } from '../src/shared-history.ts';

const LIMIT = 5;
type Query = { channelId: string; userId: string; after: Position; limit: number };

/** What Postgres would say of a channel of n messages, as far as an answer is made of it. */
function store(entries: number) {
  const asked: Query[] = [];
  const truth = ({ userId, after, limit }: Query): History => {
    const all = Array.from({ length: entries }, (_, i) => ({ position: `7-${i + 1}` as Position }));
    const follows = all.filter(({ position }) => comparePositions(position, after) > 0);
    const known = after === '0-0' || all.some(({ position }) => position === after);
    const messages = follows.slice(0, limit) as unknown as History['messages'];
    const more = follows.length > limit;
    return { epoch: 7, member: userId === 'ann', version: 1, known, expired: false, messages, changes: [], more };
  };
  const gates: (() => void)[] = [];
  const read = async (query: Query) => {
    asked.push(query);
    await new Promise<void>((resolve) => gates.push(resolve));
    return truth(query);
  };
  /** Lets reads end until nobody waits. */
  const letEnd = async () => {
    for (let quiet = 0; quiet < 10; quiet++) {
      await sleep(2);
      if (gates.length > 0) quiet = 0;
      gates.shift()?.();
    }
  };
  return { asked, truth, read, letEnd };
}

const ask = (after: Position, userId = 'bob', channelId = 'c'): Query => ({ channelId, userId, after, limit: LIMIT });

test('[FAN-140] who asks at once is served by one read, and told what a read of his own would tell', async () => {
  const { asked, truth, read, letEnd } = store(9);
  const history = sharedHistory(read, 1);
  const queries = [ask('7-6'), ask('7-4', 'ann'), ask('7-9'), ask('7-12'), ask('7-4')];
  const answers = queries.map((query) => history(query));
  await letEnd();
  expect(asked).toEqual([ask('7-4', 'ann')]);
  expect(await Promise.all(answers)).toEqual(queries.map((query) => ({ ...truth(query) })));
});

test('[FAN-140] who asks while a read is under way waits for the next, and channels do not wait for each other', async () => {
  const { asked, read, letEnd } = store(9);
  const history = sharedHistory(read, 1);
  const first = history(ask('7-5'));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toHaveLength(1);
  const later = Array.from({ length: 20 }, () => history(ask('7-6')));
  const other = history(ask('7-5', 'bob', 'other'));
  await letEnd();
  await Promise.all([first, other, ...later]);
  expect(asked.map(({ channelId, after }) => `${channelId} ${after}`).sort()).toEqual(['c 7-5', 'c 7-6', 'other 7-5']);
});

test('[FAN-140] a read that does not reach the end serves only those who asked the same', async () => {
  const { asked, truth, read, letEnd } = store(9);
  const history = sharedHistory(read, 1);
  const queries = [ask('0-0'), ask('7-7'), ask('0-0'), ask('7-8')];
  const answers = queries.map((query) => history(query));
  await letEnd();
  expect(await Promise.all(answers)).toEqual(queries.map((query) => truth(query)));
  expect(asked.map(({ after }) => after)).toEqual(['0-0', '7-7']);
});

test('[FAN-140] a read that fails fails for all, and for nobody who asks afterwards', async () => {
  let failures = 1;
  const { read, letEnd } = store(3);
  const history = sharedHistory((query) => (failures-- > 0 ? Promise.reject(new Error('away')) : read(query)), 1);
  const lost = await Promise.allSettled([history(ask('7-1')), history(ask('7-2'))]);
  expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const answer = history(ask('7-2'));
  await letEnd();
  expect((await answer).messages).toHaveLength(1);
});

test('[FAN-140] control: without it each asks for himself', async () => {
  const { asked, read, letEnd } = store(9);
  const answers = Array.from({ length: 20 }, () => read(ask('7-6')));
  await letEnd();
  for (let i = 0; i < 20; i++) await letEnd();
  await Promise.all(answers);
  expect(asked).toHaveLength(20);
});
