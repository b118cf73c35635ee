import { comparePositions, formatPosition, parsePosition, positionSchema } from '@parley/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as z from 'zod/mini';

const place = fc.record({ epoch: fc.nat({ max: 9_999_999_999 }), n: fc.nat({ max: 999_999_999_999_999 }) });

it('[ORD-1] a position is written and read back unchanged', () => {
  fc.assert(
    fc.property(place, (p) => {
      expect(parsePosition(formatPosition(p))).toEqual(p);
    }),
  );
});

it('[ORD-2] positions order by epoch, then by n, as numbers', () => {
  fc.assert(
    fc.property(place, place, (a, b) => {
      const byHand = a.epoch === b.epoch ? Math.sign(a.n - b.n) : Math.sign(a.epoch - b.epoch);
      expect(Math.sign(comparePositions(formatPosition(a), formatPosition(b)))).toBe(byHand);
    }),
  );
  expect(comparePositions('9-10', '10-9')).toBeLessThan(0);
  expect(comparePositions('1-9', '1-10')).toBeLessThan(0);
});

it('[ORD-3] what is not a position is refused', () => {
  for (const text of [
    '',
    '1',
    '1-',
    '-1',
    '1-2-3',
    ' 1-2',
    '1-2\n',
    '１-2',
    '1e3-1',
    '12345678901-1',
    `1-${'9'.repeat(16)}`,
    '0x1-1',
  ]) {
    expect(z.safeParse(positionSchema, text).success, JSON.stringify(text)).toBe(false);
    expect(() => parsePosition(text)).toThrow(RangeError);
  }
});
