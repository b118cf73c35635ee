import { formatPosition, type Place } from '@parley/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ChannelView,
  entriesFromHistory,
  entryFromLine,
  type FeedEntry,
  follows,
  type History,
  isNotice,
  mergeEntries,
  noticeFromLine,
  parseLine,
  parseUserHint,
  resumeClient,
  resumeFrom,
  stepFrom,
  tipAfter,
  windowReaches,
} from '../src/index.ts';

const at = (epoch: number, n: number): Place => ({ epoch, n });

function entry(epoch: number, n: number, hole = false): FeedEntry {
  const place = at(epoch, n);
  return { place, id: formatPosition(place), m: n, at: 0, event: null, hole, actorId: null, reactors: null };
}

function view(epoch: number, n: number, headPosition = formatPosition(at(epoch, n))): ChannelView {
  const head = { epoch, n, m: n, at: 0 };
  const rest = { memberCount: 1, archivedAt: null, amended: false, deleted: [], mentions: [], deliveredTo: null };
  return { epoch, head, headPosition, persistedN: 0, holes: [], version: 1, rank: 2, readTo: null, ...rest };
}

describe('the step from one place to the next', () => {
  test.each([
    ['next', at(2, 1), at(2, 2)],
    ['next', at(2, 0), at(2, 1)],
    ['repeat', at(2, 2), at(2, 2)],
    ['repeat', at(2, 2), at(2, 1)],
    ['repeat', at(2, 0), at(1, 9)],
    ['gap', at(2, 1), at(2, 3)],
    ['epoch', at(2, 1), at(3, 1)],
    ['epoch', at(2, 1), at(3, 2)],
  ] as const)('%s', (step, last, entered) => expect(stepFrom(last, entered)).toBe(step));

  test('a history is dense in an epoch, and each epoch begins with 1', () => {
    expect(follows(at(2, 1), at(2, 2))).toBe(true);
    expect(follows(at(2, 1), at(3, 1))).toBe(true);
    expect(follows(at(2, 1), at(3, 2))).toBe(false);
    expect(follows(at(2, 1), at(1, 2))).toBe(false);
  });
});

describe('merging window and Postgres', () => {
  test('[RESUME-72] the window alone is enough only inside the current epoch, and only when it reaches back', () => {
    expect(windowReaches(at(2, 1), view(2, 3), [entry(2, 2), entry(2, 3)])).toBe(true);
    expect(windowReaches(at(2, 1), view(2, 3), [entry(2, 3)])).toBe(false);
    expect(windowReaches(at(2, 3), view(2, 3), [])).toBe(true);
    expect(windowReaches(at(2, 2), view(2, 3), [])).toBe(false);
    expect(windowReaches(at(1, 1), view(2, 1), [entry(1, 2), entry(2, 1)])).toBe(false);
  });

  test('[RESUME-72] however the two overlap, the union is the whole, in order, each once', () => {
    const arbitrary = fc.record({
      older: fc.nat({ max: 8 }),
      current: fc.nat({ max: 8 }),
      stored: fc.nat(),
      trimmed: fc.nat(),
    });
    fc.assert(
      fc.property(arbitrary, ({ older, current, stored, trimmed }) => {
        const whole = [
          ...Array.from({ length: older }, (_, i) => entry(1, i + 1)),
          ...Array.from({ length: current }, (_, i) => entry(2, i + 1)),
        ];
        // The older epoch is in Postgres to its end; of the current one the window has at least what is not.
        const inPostgres = older + (stored % (current + 1));
        const window = whole.slice(trimmed % (inPostgres + 1));
        const merged = mergeEntries(at(0, 0), 2, { window, stored: whole.slice(0, inPostgres) });
        expect(merged?.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
      }),
    );
  });

  test('Postgres wins where both speak, an older epoch counts only there, and a hole in both is not bridged', () => {
    const merged = mergeEntries(at(1, 1), 2, {
      window: [entry(1, 2), entry(1, 3), entry(2, 1)],
      stored: [entry(1, 2, true)],
    });
    expect(merged?.map(({ id, hole }) => [id, hole])).toEqual([
      ['1-2', true],
      ['2-1', false],
    ]);
    expect(mergeEntries(at(1, 1), 1, { window: [entry(1, 4)], stored: [entry(1, 2)] })).toBeNull();
  });

  test('who has read an older epoch to its end stands at the beginning of the current one', () => {
    expect(tipAfter(at(1, 1), 2, [entry(1, 2)])).toEqual(at(2, 0));
    expect(tipAfter(at(1, 1), 2, [entry(1, 2), entry(2, 1)])).toEqual(at(2, 1));
    expect(tipAfter(at(2, 4), 2, [])).toEqual(at(2, 4));
  });
});

describe('the decision to resume', () => {
  test.each([
    [null, view(2, 3), { type: 'head' }],
    ['2-3', view(2, 3), { type: 'head' }],
    ['1-7', view(2, 0, '1-7'), { type: 'head' }],
    ['1-7', { ...view(2, 0, '1-7'), doubtful: true as const }, { type: 'read', from: at(1, 7) }],
    ['2-3', { ...view(2, 3), doubtful: true as const }, { type: 'head' }],
    ['0-0', { ...view(2, 0), headPosition: null }, { type: 'head' }],
    ['0-0', view(2, 1), { type: 'read', from: at(0, 0) }],
    ['2-1', view(2, 3), { type: 'read', from: at(2, 1) }],
    ['1-9', view(2, 3), { type: 'read', from: at(1, 9) }],
    ['2-0', view(2, 3), { type: 'resync', reason: 'epoch' }],
    ['2-4', view(2, 3), { type: 'resync', reason: 'ahead' }],
    ['3-1', view(2, 3), { type: 'resync', reason: 'ahead' }],
    ['2-1', view(2, 501), { type: 'read', from: at(2, 1) }],
    ['2-1', view(2, 502), { type: 'resync', reason: 'behind' }],
  ] as const)('[RESUME-73] from %s', (lastEventId, seen, decision) => {
    expect(resumeClient(lastEventId, seen)).toEqual(decision);
  });

  test('a reader may stand at the beginning of an epoch', () => {
    expect(resumeFrom(at(2, 0), view(2, 2))).toEqual({ type: 'read', from: at(2, 0) });
  });
});

describe('what lines tell', () => {
  const settled = { epoch: 2, persistedN: 1, holes: [{ n: 3, m: 3 }] };
  const read = (text: string) => {
    const line = parseLine(text);
    if (!line) throw new Error(text);
    return line;
  };
  const created =
    '{"id":"m","channelId":"c","clientMsgId":"k","senderId":"s","body":"b","replyTo":null,"threadOf":null,"attachmentIds":[],"mentions":[],"encrypted":null}';

  test('a message is persisted up to the mark, and always in an older epoch; a hole passes silently', () => {
    const persisted = (place: string) => {
      const { event } = entryFromLine(read(`1 c ${place} ${created}`), settled);
      return event?.type === 'message.created' && event.message.persisted;
    };
    expect(persisted('2-1 1 5')).toBe(true);
    expect(persisted('2-2 2 5')).toBe(false);
    expect(persisted('1-9 2 5')).toBe(true);
    expect(entryFromLine(read(`1 c 2-3 3 5 ${created}`), settled)).toMatchObject({
      event: null,
      hole: true,
      id: '2-3',
    });
  });

  test("a newer build's entry and an unknown kind take their position silently", () => {
    expect(entryFromLine(read(`2 c 2-5 3 5 ${created}`), settled)).toMatchObject({
      event: null,
      hole: false,
      id: '2-5',
    });
    expect(entryFromLine(read('1 z 2-5 3 5 {}'), settled)).toMatchObject({ event: null, id: '2-5' });
  });

  test('members come and go', () => {
    const payload = '{"version":3,"id":"x","channelId":"c","actorId":"a","userId":"u","rank":2,"name":"Uli"}';
    expect(entryFromLine(read(`1 j 2-5 3 7 ${payload}`), settled)).toMatchObject({
      actorId: 'a',
      event: {
        type: 'member.joined',
        position: '2-5',
        member: { userId: 'u', role: 'member', joinedAt: 7, readTo: '2-5' },
      },
    });
    expect(entryFromLine(read(`1 l 2-6 3 7 ${payload}`), settled).event).toMatchObject({
      type: 'member.left',
      userId: 'u',
    });
  });

  test('notices name what they speak of', () => {
    const notice = (text: string) => noticeFromLine('c', read(text));
    expect(isNotice(read('1 P 2-5 3 7 {"holes":["2-3"]}'))).toBe(true);
    expect(isNotice(read(`1 c 2-5 3 7 ${created}`))).toBe(false);
    expect(notice('1 P 2-5 3 7 {"holes":["2-3"]}')?.event).toMatchObject({ upTo: '2-5', holes: ['2-3'] });
    expect(notice('1 R 2-5 3 7 {"userId":"u"}')).toMatchObject({ key: 'R u', event: { readTo: '2-5' } });
    expect(notice('1 H 2-3 3 7 {"senderId":"s","clientMsgId":"k","by":"2-1","reason":"twin"}')?.event).toMatchObject({
      type: 'message.superseded',
      position: '2-3',
      by: '2-1',
    });
    expect(noticeFromLine('c', read('1 c 2-3 3 7 {}'))).toBeNull();
  });

  test('hints of unknown kinds are none', () => {
    expect(parseUserHint('{"type":"channel.added","channelId":"c"}')).toEqual({
      type: 'channel.added',
      channelId: 'c',
    });
    expect(parseUserHint('{"type":"revoked"}')).toBeNull();
    expect(parseUserHint('null')).toBeNull();
  });

  test('what Postgres has comes in one order: messages, members, holes', () => {
    const line = read(`1 c 2-2 2 5 ${created}`);
    const { event } = entryFromLine(line, settled);
    const message = event?.type === 'message.created' ? event.message : undefined;
    const change = { target: 'u', by: null, at: 1, member: null, message: null, channel: null };
    const history: History = {
      epoch: 2,
      member: true,
      version: 1,
      known: true,
      expired: false,
      more: false,
      messages: message ? [{ ...message, reactors: {} }] : [],
      changes: [
        { ...change, position: '2-1', kind: 'l' },
        { ...change, position: '2-3', kind: 'x' },
        { ...change, position: '2-4', kind: 'j' },
      ],
    };
    const told = entriesFromHistory('c', history).map((found) => [found.id, found.event?.type ?? null, found.hole]);
    expect(told).toEqual([
      ['2-1', 'member.left', false],
      ['2-2', 'message.created', false],
      ['2-3', null, true],
      ['2-4', null, false],
    ]);
  });
});
