import { formatPosition, type Position } from '@parley/protocol';
import { describe, expect, it } from 'vitest';
import { countViolations, type Kept, type Run, violationsOf } from '../src/history.ts';

const channelId = 'c';
const kept = (n: number): Kept => ({
  channelId,
  senderId: 's',
  clientMsgId: `k${n}`,
  messageId: `m${n}`,
  position: formatPosition({ epoch: 7, n }),
});
const rows = [1, 2, 3, 4, 5].map(kept);
const good: Run = { acked: rows, kept: rows, observed: [{ observer: 'o', channelId, seen: rows }] };
const seeing = (seen: { messageId: string; position: Position }[]): Run => ({
  ...good,
  observed: [{ observer: 'o', channelId, seen }],
});
const [first, second, third, fourth, fifth] = rows as [Kept, Kept, Kept, Kept, Kept];
const count = (run: Run) => countViolations(violationsOf(run));

describe('the history checker', () => {
  it('passes a good run', () => expect(violationsOf(good)).toEqual([]));

  it.each<[string, Run, object]>([
    ['an acked message that nobody kept', { ...good, acked: [...rows, kept(6)] }, { lost: 1 }],
    ['every message lost', { acked: rows, kept: [], observed: [] }, { lost: 5 }],
    ['an ack under another id', { ...good, acked: [{ ...first, messageId: 'x' }] }, { lost: 1, 'position reused': 1 }],
    ['a row kept twice', { ...good, kept: [...rows, { ...first, position: '7-9' }] }, { doubled: 1 }],
    [
      'two rows at one position',
      { ...good, kept: [...rows, { ...kept(6), position: '7-5' }] },
      { 'position reused': 2, gap: 1 },
    ],
    [
      'an ack at a position that another message has',
      { ...good, acked: [{ ...first, position: '7-2' }] },
      { 'position reused': 1 },
    ],
    ['a message not seen', seeing([first, second, fourth, fifth]), { gap: 1 }],
    ['nothing seen', seeing([]), { gap: 5 }],
    ['the last not seen', seeing([first, second, third, fourth]), { gap: 1 }],
    ['a message seen twice', seeing([first, second, second, third, fourth, fifth]), { repeat: 1 }],
    ['a message seen again at the end', seeing([...rows, first]), { repeat: 1 }],
    ['a message seen again at another place', seeing([...rows, { ...first, position: '7-6' }]), { repeat: 1 }],
    ['two messages swapped', seeing([first, third, second, fourth, fifth]), { order: 1 }],
    ['all backwards', seeing([...rows].reverse()), { order: 4 }],
    ['epochs swapped', seeing([first, second, third, fourth, { ...fifth, position: '6-9' }]), { order: 1 }],
    ['a message that was never kept', seeing([...rows, kept(6)]), { stranger: 1 }],
  ])('sees %s', (_, run, expected) => expect(count(run)).toEqual(expected));
});
