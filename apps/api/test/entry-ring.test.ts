import { comparePlaces, type FeedEntry, SILENT } from '@parley/domain';
import { formatPosition, type Place } from '@parley/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Press } from '../src/feeds/press.ts';
import { EntryRing } from '../src/hub/entry-ring.ts';

const START: Place = { epoch: 1, n: 0 };

function entryAt(n: number): FeedEntry {
  const place = { epoch: 1, n };
  return { ...SILENT, place, id: formatPosition(place), m: n, at: n, hole: false };
}

describe('the newest entries of a channel', () => {
  test('are given as a list of all of them would, back to the oldest that is kept', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.integer({ min: 1, max: 3 })), (capacity, steps) => {
        const ring = new EntryRing(capacity, START);
        const all: FeedEntry[] = [];
        for (const step of steps) {
          const entry = entryAt((all.at(-1)?.place.n ?? 0) + step);
          ring.push(entry);
          all.push(entry);
        }
        const floor = all.at(-capacity - 1)?.place ?? START;
        for (let n = 0; n <= (all.at(-1)?.place.n ?? 0) + 1; n++) {
          const place = { epoch: 1, n };
          const expected = n < floor.n ? 'behind' : all.find((entry) => comparePlaces(entry.place, place) > 0);
          expect(ring.after(place)).toBe(expected);
        }
      }),
    );
  });

  test('are all that is kept, also of those that went by', () => {
    const ring = new EntryRing(4, START);
    const seen: number[] = [];
    for (let n = 1; n <= 11; n++) ring.push(entryAt(n));
    ring.some(({ place }) => {
      seen.push(place.n);
      return false;
    });
    expect(seen.sort((a, b) => a - b)).toEqual([8, 9, 10, 11]);
  });
});

describe('a press', () => {
  test('makes one publication of an event, and forgets those that many others came after', () => {
    const press = new Press();
    const event = {};
    const publication = press.publicationOf({ id: '1-1', event });
    for (let i = 0; i < 200; i++) press.publicationOf({ id: '1-2', event: {} });
    expect(press.publicationOf({ id: '1-1', event })).toBe(publication);
    expect(press.publicationOf({ id: '1-2', event })).not.toBe(publication);
    for (let i = 0; i < 1_000; i++) press.publicationOf({ id: '1-2', event: {} });
    expect(press.publicationOf({ id: '1-1', event })).not.toBe(publication);
  });
});
