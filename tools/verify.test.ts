import { describe, expect, it } from 'vitest';
import { compare, type Evidence } from './verify/compare.ts';

const channelId = 'c';
const answer = (n: number) => ({ channelId, id: `m${n}`, position: `7-${n}` });
const good: Evidence = {
  answered: [answer(1), answer(2), answer(4), answer(5)],
  waiting: [answer(5)],
  kept: [answer(1), answer(2), answer(4), { channelId, position: '7-3', id: null }],
  stretches: [{ channelId, epoch: 7, first: 1, last: 4, entries: 4, shared: 0, removed: 0, restored: false }],
  twins: 0,
  ahead: [{ channelId, position: '7-5' }],
  messages: 3,
};

describe('[RUN-90] npm run verify', () => {
  it('passes what is whole', () => {
    expect(compare(good)).toMatchObject({
      ok: true,
      accepted: 4,
      persisted: 3,
      waiting: 1,
      lost: 0,
      reused: 0,
      gaps: 0,
    });
  });

  it('[JOB-13] takes what retention has removed for no gap', () => {
    const stretch = { channelId, epoch: 7, first: 4, last: 4, entries: 1, shared: 0, restored: false };
    const kept = [answer(4)];
    const rest = { ...good, answered: [answer(4), answer(5)], kept };
    expect(compare({ ...rest, stretches: [{ ...stretch, removed: 3 }] })).toMatchObject({ ok: true, gaps: 0 });
    expect(compare({ ...rest, stretches: [{ ...stretch, removed: 2 }] })).toMatchObject({ ok: false, gaps: 1 });
  });

  it('[OPS-32] takes what a restore has lost for no gap, and counts it', () => {
    const [stretch] = good.stretches;
    if (!stretch) throw new Error('no stretch');
    const late = { ...stretch, last: 9 };
    expect(compare({ ...good, stretches: [{ ...late, restored: true }] })).toMatchObject({
      ok: true,
      gaps: 0,
      lostByRestore: 5,
    });
    expect(compare({ ...good, stretches: [late] })).toMatchObject({ ok: false, gaps: 5, lostByRestore: 0 });
  });

  it.each<[string, Partial<Evidence>, object]>([
    ['an answer that stands nowhere', { answered: [...good.answered, answer(9)] }, { lost: 1 }],
    ['a log that forgot what waited', { waiting: [] }, { lost: 1 }],
    [
      'an answered position that holds another message',
      { kept: [...good.kept, { ...answer(1), id: 'other' }] },
      { reused: 1 },
    ],
    ['two answers at one position', { answered: [...good.answered, { ...answer(1), id: 'm2' }] }, { reused: 1 }],
    [
      'a message and a change at one position',
      { stretches: [{ channelId, epoch: 7, first: 1, last: 4, entries: 5, shared: 1, removed: 0, restored: false }] },
      { reused: 1, gaps: 0 },
    ],
    [
      'a gap',
      { stretches: [{ channelId, epoch: 7, first: 1, last: 5, entries: 4, shared: 0, removed: 0, restored: false }] },
      { gaps: 1 },
    ],
    [
      'a first entry that is missing',
      { stretches: [{ channelId, epoch: 7, first: 2, last: 4, entries: 3, shared: 0, removed: 0, restored: false }] },
      { gaps: 1 },
    ],
    ['a twin', { twins: 1 }, { duplicate: 1 }],
    ['a cursor beyond the head', { ahead: [{ channelId, position: '7-6' }] }, { cursorsAhead: 1 }],
  ])('sees %s', (_, planted, expected) => {
    expect(compare({ ...good, ...planted })).toMatchObject({ ok: false, ...expected });
  });
});
