import { describe, expect, test } from 'vitest';
import { InCommon } from '../src/hub/in-common.ts';

const head = (n: number) => ({ epoch: 7, n, m: n, at: 1_700_000_000_000 });

describe('what the inboxes of a channel have in common', () => {
  test('is one object for those who read the same', () => {
    const inCommon = new InCommon();
    const first = inCommon.head.of(head(1));
    expect(inCommon.head.of(head(1))).toBe(first);
  });

  test('is nothing that differs, however little', () => {
    const inCommon = new InCommon();
    const first = inCommon.head.of(head(1));
    const second = inCommon.head.of(head(2));
    expect(second).toEqual(head(2));
    expect(first).toEqual(head(1));
    // Only the last one is remembered: it takes no more than one reader would.
    expect(inCommon.head.of(head(1))).not.toBe(first);
  });

  test('keeps no message once what somebody wrote is to be forgotten', () => {
    const inCommon = new InCommon();
    const words = { body: 'mine' } as Parameters<typeof inCommon.message.of>[0];
    inCommon.message.of(words);
    inCommon.forget();
    const same = { ...words };
    expect(inCommon.message.of(same)).toBe(same);
  });
});
