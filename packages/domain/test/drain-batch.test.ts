import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  buildBatch,
  decodeEntry,
  halvesOf,
  type MemberRow,
  parseLine,
  rejectEntry,
  settlementsOf,
  type WritableEntry,
} from '../src/index.ts';
import { channelsOf, createdJson, cursor, EPOCH, id, line, logged, memberJson, place } from './drain-lines.ts';

const PARTITIONS = [3, 4];
const CHANNELS = PARTITIONS.map((partition) => channelsOf(partition, 2));

interface Step {
  readonly partition: number;
  readonly channel: number;
  readonly what: 'c' | 'j' | 'l' | 'u' | 'poison';
  readonly user: number;
  readonly rank: number;
  readonly silencedUntil: number | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  partition: fc.nat(1),
  channel: fc.nat(1),
  what: fc.constantFrom('c', 'j', 'l', 'u', 'poison'),
  user: fc.integer({ min: 2, max: 4 }),
  rank: fc.integer({ min: 1, max: 5 }),
  silencedUntil: fc.option(fc.nat(), { nil: undefined }),
});

/** Steps as the log would hold them: k dense in a partition, n and m dense in a channel. */
function entriesOf(steps: readonly Step[]): WritableEntry[] {
  const next = new Map(PARTITIONS.map((partition) => [partition, 0]));
  const heads = new Map<string, { n: number; m: number }>();
  const entries = steps.map(({ partition, channel, what, user, rank, silencedUntil }, index) => {
    const channelId = CHANNELS[partition]?.[channel] ?? '';
    const head = heads.get(channelId) ?? { n: 0, m: 0 };
    heads.set(channelId, head);
    head.n++;
    if (what === 'c' || what === 'poison') head.m++;
    const at = place(head.n, head.m);
    const json =
      what === 'c'
        ? createdJson(channelId, head.n, { id: id(2, index) })
        : memberJson(channelId, head.n, {
            userId: id(1, user),
            ...(what === 'l' ? { rank: null } : { rank, silencedUntil }),
          });
    const text = what === 'poison' ? line('c', at, `{"channelId":"${channelId}"}`) : line(what, at, json);
    const number = PARTITIONS[partition] ?? 0;
    const k = next.get(number) ?? 0;
    next.set(number, k + 1);
    return decodeEntry(logged(number, k, text));
  });
  return entries.filter((entry) => entry.type !== 'newer').sort((a, b) => a.logged.partition - b.logged.partition);
}

const cursors = new Map(PARTITIONS.map((partition) => [partition, cursor(partition)]));

/** What a member's row would be if each change were its own statement. */
function applyOneByOne(entries: readonly WritableEntry[]): Map<string, MemberRow> {
  const rows = new Map<string, MemberRow>();
  for (const entry of entries) {
    const [row] = buildBatch([entry], cursors).members;
    if (!row) continue;
    const key = `${row.channelId} ${row.userId}`;
    const before = rows.get(key);
    const kept = before?.joined && entry.type === 'member' && entry.kind === 'u';
    const silencedUntil = row.silencedUntil ?? before?.silencedUntil;
    const silenced = silencedUntil === undefined ? row : { ...row, silencedUntil };
    rows.set(key, kept ? { ...silenced, place: before.place, joined: true } : silenced);
  }
  return rows;
}

describe('a batch', () => {
  test('[PERSIST-80] drops nothing and keeps the order: each entry is one row of a message or of a change', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const entries = entriesOf(steps);
        const batch = buildBatch(entries, cursors);
        const rows = [...batch.created.map((row) => ({ ...row })), ...batch.changes];
        expect(rows).toHaveLength(entries.length);
        for (const channelId of CHANNELS.flat()) {
          const ns = rows.filter((row) => row.channelId === channelId).map((row) => row.place.n);
          expect(ns.toSorted((a, b) => a - b)).toEqual(ns.map((_, index) => index + 1));
          const created = batch.created.filter((row) => row.channelId === channelId).map((row) => row.place.n);
          expect(created).toEqual(created.toSorted((a, b) => a - b));
          const head = batch.heads.find((row) => row.channelId === channelId);
          expect(head?.place.n ?? 0).toBe(ns.length);
        }
        for (const { from, toK } of batch.moves) {
          expect(toK).toBe(entries.filter((entry) => entry.logged.partition === from.partition).length - 1);
        }
      }),
    );
  });

  test('[PERSIST-82] folding the changes of a member equals applying them one by one', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const entries = entriesOf(steps);
        const folded = buildBatch(entries, cursors).members;
        const expected = applyOneByOne(entries);
        expect(new Map(folded.map((row) => [`${row.channelId} ${row.userId}`, row]))).toEqual(expected);
      }),
    );
  });

  test('[PERSIST-84] halving finds every poison entry and writes each of the others once, in order', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.func(fc.nat(3)), (steps, dice) => {
        const entries = entriesOf(steps);
        const bad = new Set(entries.filter((_, index) => dice(index) === 0));
        const written: WritableEntry[] = [];
        const dead: WritableEntry[] = [];
        const write = (part: readonly WritableEntry[]): void => {
          const [first] = part;
          if (!part.some((entry) => bad.has(entry))) written.push(...part);
          else if (part.length === 1 && first) dead.push(first);
          else for (const half of halvesOf(part)) write(half);
        };
        write(entries);
        expect(written).toEqual(entries.filter((entry) => !bad.has(entry)));
        expect(dead).toEqual(entries.filter((entry) => bad.has(entry)));
      }),
    );
  });

  test('a member who joins and is promoted at once starts reading where he joined', () => {
    const channelId = CHANNELS[0]?.[0] ?? '';
    const [row] = buildBatch(
      [
        decodeEntry(logged(3, 0, line('j', place(1, 0), memberJson(channelId, 1)))),
        decodeEntry(logged(3, 1, line('u', place(2, 0), memberJson(channelId, 2, { rank: 4 })))),
      ].filter((entry) => entry.type !== 'newer'),
      cursors,
    ).members;
    expect(row).toMatchObject({ rank: 4, version: 2, joined: true, place: { n: 1 } });
  });

  test('[MEMBER-115] who leaves in the batch that silences him takes the silence along, and none of an earlier time', () => {
    const channelId = CHANNELS[0]?.[0] ?? '';
    const last = (...entries: [kind: string, payload: object][]) => {
      const lines = entries.map(([kind, payload], k) =>
        decodeEntry(logged(3, k, line(kind, place(k + 1, 0), memberJson(channelId, k + 1, { ...payload })))),
      );
      return buildBatch(
        lines.filter((entry) => entry.type !== 'newer'),
        cursors,
      ).members[0];
    };
    const gone = { rank: null };
    expect(last(['u', { silencedUntil: 9_000 }], ['l', gone])).toMatchObject({ rank: null, silencedUntil: 9_000 });
    expect(last(['j', { silencedUntil: 9_000 }], ['l', gone])).toMatchObject({ rank: null, silencedUntil: 9_000 });
    expect(last(['l', gone], ['j', {}], ['l', gone])).toMatchObject({ rank: null, silencedUntil: 0 });
    expect(last(['l', gone])).not.toHaveProperty('silencedUntil');
  });

  test('a rejected entry that is refused again loses all that could be refused, but not its bytes', () => {
    const channelId = CHANNELS[0]?.[0] ?? '';
    const text = line('c', place(1), createdJson(channelId, 1));
    const entry = decodeEntry(logged(3, 0, text));
    if (entry.type === 'newer') throw new Error('unexpected');
    const once = rejectEntry(entry, 'refused');
    expect(buildBatch([once], cursors)).toMatchObject({
      created: [],
      changes: [{ kind: 'x', operationId: id(3, 1), actorId: id(1, 1), place: { n: 1 } }],
      deadLetters: [{ channelId, senderId: id(1, 1), clientMsgId: id(3, 1), reason: 'refused' }],
    });
    const twice = buildBatch([rejectEntry(once, 'again')], cursors);
    expect(twice.changes).toEqual([]);
    expect(twice.heads).toEqual([]);
    expect(twice.moves).toHaveLength(1);
    expect(twice.deadLetters).toMatchObject([{ channelId: null, place: null, reason: 'refused' }]);
    expect(new TextDecoder().decode(twice.deadLetters[0]?.line)).toBe(text);
  });
});

describe('a settlement', () => {
  const channelId = CHANNELS[0]?.[0] ?? '';

  function decode(k: number, text: string): WritableEntry {
    const entry = decodeEntry(logged(3, k, text));
    if (entry.type === 'newer') throw new Error('unexpected');
    return entry;
  }

  test('[PERSIST-83] names every hole below the mark, messages with their m', () => {
    const entries = [
      decode(0, line('c', place(1, 1), createdJson(channelId, 1))),
      decode(1, line('c', place(2, 2), createdJson(channelId, 2))),
      decode(2, line('z', place(3, 2), `{"channelId":"${channelId}"}`)),
    ];
    const twin = `${EPOCH}-1` as const;
    const [settled] = settlementsOf(entries, [{ channelId, position: `${EPOCH}-2`, by: twin }]);
    expect(settled).toMatchObject({ partition: 3, toEpoch: EPOCH, toK: 2 });
    expect(settled?.channels).toMatchObject([
      {
        channelId,
        upTo: { n: 3 },
        holes: [
          { n: 2, m: 2 },
          { n: 3, m: 0 },
        ],
      },
    ]);
    const notices = settled?.channels[0]?.notices.map(parseLine) ?? [];
    expect(notices.map((notice) => [notice?.kind, notice?.place.n, JSON.parse(notice?.json ?? '')])).toEqual([
      ['H', 2, { senderId: id(1, 1), clientMsgId: id(3, 2), by: twin, reason: 'superseded' }],
      ['H', 3, { senderId: null, clientMsgId: null, by: null, reason: 'unknown kind z' }],
    ]);
  });

  test('[PERSIST-83] holes of an older epoch are published, but counted by nobody', () => {
    const entries = [
      decode(7, line('c', place(9, 9, EPOCH - 1), `{"channelId":"${channelId}"}`)),
      decode(0, line('c', place(1, 1), createdJson(channelId, 1))),
    ];
    const [settled] = settlementsOf(entries, []);
    expect(settled?.channels).toMatchObject([{ upTo: { epoch: EPOCH, n: 1 }, holes: [] }]);
    expect(settled?.channels[0]?.notices).toHaveLength(1);
  });
});
