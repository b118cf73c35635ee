import type { History, StoredMessage } from '@parley/domain';
import { comparePositions, type Position } from '@parley/protocol';
import { describe, expect, test } from 'vitest';
import { RecentHistories } from '../src/hub/recent-histories.ts';
import { CHANNEL } from './feed-world.ts';

const positions = (upTo: number) => Array.from({ length: upTo }, (_, i) => `1-${i + 1}` as Position);

function scene() {
  let stored = positions(5);
  let now = 0;
  const asked: Position[] = [];
  const archive = {
    history: async ({ after }: { after: Position }): Promise<History> => {
      asked.push(after);
      const messages = stored.filter((position) => comparePositions(position, after) > 0);
      return {
        epoch: 1,
        member: false,
        version: 1,
        known: after === '0-0' || stored.includes(after),
        expired: false,
        messages: messages.map((position) => ({ position }) as StoredMessage),
        changes: [],
        more: false,
      };
    },
  };
  const histories = new RecentHistories(archive, { now: () => now });
  return {
    histories,
    asked,
    store: (upTo: number) => {
      stored = positions(upTo);
    },
    pass: (ms: number) => {
      now += ms;
    },
    read: async (after: Position, epoch = 1) =>
      (await histories.read(CHANNEL, after, epoch)).history.messages.map(({ position }) => position),
  };
}

describe('those who come back together', () => {
  test('[RESUME-20] ask Postgres once, each from his own position', async () => {
    const { read, asked } = scene();
    const [first, ...others] = await Promise.all([read('1-1'), read('1-1'), read('1-3'), read('1-5')]);
    expect(first).toEqual(['1-2', '1-3', '1-4', '1-5']);
    expect(others).toEqual([['1-2', '1-3', '1-4', '1-5'], ['1-4', '1-5'], []]);
    expect(asked).toEqual(['1-1']);
  });

  test('[RESUME-20] an answer that does not have a position serves nobody who stands there', async () => {
    const { read, asked, store } = scene();
    await read('1-3');
    expect(await read('1-1')).toHaveLength(4);
    store(7);
    expect(await read('1-6')).toEqual(['1-7']);
    expect(asked).toEqual(['1-3', '1-1', '1-6']);
  });

  test('[RESUME-21] what was asked before an epoch had its header serves nobody in it: the one before was not at its end', async () => {
    const { read, store, asked } = scene();
    await read('1-3', 1);
    store(7);
    expect(await read('1-3', 2)).toEqual(['1-4', '1-5', '1-6', '1-7']);
    expect(await read('1-4', 2)).toEqual(['1-5', '1-6', '1-7']);
    expect(asked).toEqual(['1-3', '1-3']);
  });

  test('[RESUME-20] control: after a moment Postgres is asked anew, and at once by who found a gap or after an erasure', async () => {
    const { read, asked, pass, histories } = scene();
    await read('1-1');
    pass(2_000);
    await read('1-1');
    await histories.readAnew(CHANNEL, '1-1', 1);
    histories.forget();
    await read('1-1');
    expect(asked).toHaveLength(4);
  });
});
