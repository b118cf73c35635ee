import { expect, test } from 'vitest';
import { planDrain } from '../src/index.ts';
import { channelsOf, createdJson, cursor, EPOCH, line, logged, memberJson, place } from './drain-lines.ts';

const P = 5;
const [channel = ''] = channelsOf(P, 1);

function entry(k: number, epoch = EPOCH) {
  return logged(P, k, line('c', place(k + 1, k + 1, epoch), createdJson(channel, k + 1)));
}

const UNREADABLE = 'unreadable payload';

function created(change: Record<string, unknown>): string {
  return line('c', place(1), createdJson(channel, 1, change));
}

function plan(entries: ReturnType<typeof entry>[], from = cursor(P), epoch: number | null = EPOCH) {
  return planDrain([{ partition: P, epoch, entries }], new Map([[P, from]]));
}

test('entries after the cursor are to be written, those before it only to be settled', () => {
  const found = plan([entry(3), entry(4), entry(5)], cursor(P, 4));
  expect(found.committed.map((one) => one.logged.k)).toEqual([3, 4]);
  expect(found.entries.map((one) => one.logged.k)).toEqual([5]);
  expect(found.faults).toEqual([]);
});

test.each([null, EPOCH + 1, EPOCH - 1])('[EPOCH-80] nothing is read under a foreign epoch (%s)', (epoch) => {
  const found = plan([entry(0)], cursor(P), epoch);
  expect(found.entries).toEqual([]);
  expect(found.faults).toEqual([{ partition: P, epoch: EPOCH, fault: 'epoch' }]);
});

test('[EPOCH-80] entries of an epoch that Postgres has not opened are not touched', () => {
  const found = plan([entry(0), entry(0, EPOCH + 5)]);
  expect(found.entries).toHaveLength(1);
  expect(found.faults).toEqual([{ partition: P, epoch: EPOCH, fault: 'epoch' }]);
});

test.each([
  { where: 'after the cursor', ks: [5, 6], readK: 3, written: 0 },
  { where: 'among the entries', ks: [4, 6], readK: 3, written: 1 },
  { where: 'at the beginning of the epoch', ks: [1, 2], readK: -1, written: 0 },
])('[EPOCH-81] a gap $where stops the partition there', ({ ks, readK, written }) => {
  const found = plan(
    ks.map((k) => entry(k)),
    cursor(P, readK),
  );
  expect(found.entries).toHaveLength(written);
  expect(found.faults).toEqual([{ partition: P, epoch: EPOCH, fault: 'gap' }]);
});

test('[EPOCH-81] a gap in an epoch that is over is no fault: nobody can fill it', () => {
  const found = plan([entry(7, EPOCH - 1), entry(9, EPOCH - 1), entry(0)]);
  expect(found.entries).toHaveLength(3);
  expect(found.faults).toEqual([]);
});

test('[PERSIST-86] a newer version waits, and what is behind it in its partition; other partitions go on', () => {
  const other = channelsOf(6, 1)[0] ?? '';
  const newer = logged(P, 1, line('c', place(2), createdJson(channel, 2)).replace('1', '2'));
  const reads = [
    { partition: P, epoch: EPOCH, entries: [entry(0), newer, entry(2)] },
    { partition: 6, epoch: EPOCH, entries: [logged(6, 0, line('c', place(1), createdJson(other, 1)))] },
  ];
  const cursors = new Map([P, 6].map((partition) => [partition, cursor(partition)]));
  const found = planDrain(reads, cursors);
  expect(found.waiting).toEqual([{ partition: P, v: 2 }]);
  expect(found.entries.map((one) => [one.logged.partition, one.logged.k])).toEqual([
    [P, 0],
    [6, 0],
  ]);
});

test('[PERSIST-86] the version before this one is read', () => {
  const found = plan([logged(P, 0, line('c', place(1), createdJson(channel, 1)).replace('1', '0'))]);
  expect(found.entries.map((one) => one.type)).toEqual(['created']);
});

test.each([
  { what: 'no line', text: 'hello', reason: 'not a line', hasHole: false },
  {
    what: 'an unknown kind',
    text: line('z', place(1), createdJson(channel, 1)),
    reason: 'unknown kind z',
    hasHole: true,
  },
  { what: 'JSON that is none', text: line('c', place(1), '{"channelId":'), reason: UNREADABLE, hasHole: false },
  { what: 'a missing field', text: created({ senderId: undefined }), reason: UNREADABLE, hasHole: true },
  { what: 'an id that is none', text: created({ mentions: ['x'] }), reason: UNREADABLE, hasHole: true },
  { what: 'a wrong envelope', text: created({ encrypted: {} }), reason: UNREADABLE, hasHole: true },
  {
    what: 'a wrong rank',
    text: line('j', place(1), memberJson(channel, 1, { rank: 9 })),
    reason: UNREADABLE,
    hasHole: true,
  },
  {
    what: 'a place that no column holds',
    text: `1 c ${EPOCH}-99999999999999999999 1 1 ${createdJson(channel, 1)}`,
    reason: 'not a place',
    hasHole: false,
  },
  {
    what: 'a channel of another partition',
    text: line('c', place(1), createdJson(channelsOf(9, 1)[0] ?? '', 1)),
    reason: UNREADABLE,
    hasHole: false,
  },
])('[PERSIST-85] $what is rejected with its reason, and the rest goes on', ({ text, reason, hasHole }) => {
  const found = plan([logged(P, 0, text), entry(1)]);
  expect(found.entries.map((one) => one.type)).toEqual(['rejected', 'created']);
  const [rejected] = found.entries;
  expect(rejected).toMatchObject({ reason, hole: hasHole ? { channelId: channel } : null });
});

test('a body cannot pass for the channel of an unreadable payload', () => {
  const trap = `{"body":${JSON.stringify(`"channelId":"${channel}"`)}}`;
  const [rejected] = plan([logged(P, 0, line('c', place(1), trap))]).entries;
  expect(rejected).toMatchObject({ type: 'rejected', hole: null });
});
