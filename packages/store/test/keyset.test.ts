import { Failure } from '@parley/domain';
import { expect, it } from 'vitest';
import { readCursor, writeCursor } from '../src/archive/keyset.ts';

const id = '10000000-0000-4000-8000-000000000001';

it('a cursor comes back as it was', () => {
  expect(readCursor(writeCursor({ at: 1_795_000_000_000, id }))).toEqual({ at: 1_795_000_000_000, id });
});

it.each([
  '',
  ':',
  `x:${id}`,
  `1:${id}0`,
  `1:${id.toUpperCase().replace('1', 'A')}`,
  `1:${"'".repeat(36)}`,
  `99999999999999999999:${id}`,
])('refuses %j', (text) => expect(() => readCursor(Buffer.from(text).toString('base64url'))).toThrow(Failure));
