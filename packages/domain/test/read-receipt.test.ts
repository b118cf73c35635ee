import { describe, expect, it } from 'vitest';
import type { ChannelView, Mark, ReadCursor, ReadVerdict } from '../src/ports/channel-view.ts';
import { readReceipt } from '../src/read-receipt.ts';

const input = { channelId: 'c', position: '5-2' } as const;
const place = { epoch: 5, n: 2, m: 2, at: 1 };
const view: ChannelView = {
  epoch: 5,
  head: { epoch: 5, n: 9, m: 9, at: 1 },
  headPosition: '5-9',
  persistedN: 7,
  holes: [{ n: 4, m: 4 }],
  version: 1,
  memberCount: 1,
  archivedAt: null,
  amended: false,
  deleted: [],
  mentions: [],
  rank: 2,
  readTo: place,
  deliveredTo: place,
};

/** A log that answers with these verdicts in turn, the last one for ever. */
function world(verdicts: readonly ReadVerdict[], exists = true) {
  const calls: unknown[] = [];
  const asked: ReadCursor[] = [];
  const read = readReceipt({
    views: {
      read: async (cursor) => {
        const verdict = verdicts[Math.min(asked.push(cursor), verdicts.length) - 1];
        if (!verdict) throw new Error('no verdict');
        return verdict;
      },
      delivered: () => Promise.reject(new Error('not asked')),
    },
    archive: {
      countAfter: async (...args) => {
        calls.push(args);
        return 3;
      },
    },
    log: {
      renew: async () => {
        calls.push('renew');
      },
      load: async () => {
        calls.push('load');
        return exists;
      },
    },
  });
  return { read: () => read('u', input), calls, asked };
}

describe('a read receipt', () => {
  it('says where the cursor stands and how many messages came to be after it', async () => {
    const { read, calls } = world([{ type: 'at', place, view }]);
    expect(await read()).toEqual({ readTo: '5-2', unread: 6 });
    expect(calls).toEqual([]);
  });

  it('counts up to the mark that it was told, and hands in both', async () => {
    const upTo: Mark = { epoch: 5, n: 7, m: 7 };
    const { read, calls, asked } = world([
      { type: 'count', upTo },
      { type: 'at', place, view },
    ]);
    await read();
    expect(calls).toEqual([['c', '5-2', '5-7']]);
    expect(asked.map((cursor) => cursor.counted)).toEqual([undefined, { upTo, messages: 3 }]);
  });

  it('agrees on the epoch and loads the header when it must', async () => {
    const { read, calls } = world([{ type: 'epoch' }, { type: 'missing' }, { type: 'at', place, view }]);
    expect(await read()).toMatchObject({ readTo: '5-2' });
    expect(calls).toEqual(['renew', 'load']);
  });

  it('tells a stranger what it tells of a channel that does not exist', async () => {
    await expect(world([{ type: 'stranger' }]).read()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(world([{ type: 'missing' }], false).read()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('refuses a position beyond the newest entry, and does not try for ever', async () => {
    await expect(world([{ type: 'ahead' }]).read()).rejects.toMatchObject({ code: 'INVALID' });
    await expect(world([{ type: 'epoch' }]).read()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
