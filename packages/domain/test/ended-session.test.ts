import { isEnded, PARTITIONS, type Standing, untilDrained } from '@parley/domain';
import { describe, expect, it } from 'vitest';

const standing = (over: Partial<Standing> = {}): Standing => ({
  userId: 'u',
  disabledAt: null,
  erasedAt: null,
  revokedAt: null,
  revokedSids: [],
  ...over,
});

describe('[ADMIN-17] a session is ended', () => {
  const now = { sid: 'phone', issuedAt: 5_000 };
  it.each<[what: string, standing: Standing | undefined, ended: boolean]>([
    ['not where nothing is said of the user', undefined, false],
    ['not by a standing that says nothing', standing(), false],
    ['when the user is disabled', standing({ disabledAt: 1 }), true],
    ['when the user was erased', standing({ erasedAt: 1 }), true],
    ['by a revocation after its token', standing({ revokedAt: 5_001 }), true],
    ['by a revocation in the second of its token', standing({ revokedAt: 5_000 }), true],
    ['not by a revocation before its token', standing({ revokedAt: 4_999 }), false],
    ['by its sid', standing({ revokedSids: ['laptop', 'phone'] }), true],
    ['not by the sid of another', standing({ revokedSids: ['laptop'] }), false],
  ])('%s', (_what, given, ended) => {
    expect(isEnded(given, now)).toBe(ended);
  });

  it('when its token does not say since when it is, by every revocation', () => {
    expect(isEnded(standing({ revokedAt: 1 }), { sid: null, issuedAt: 0 })).toBe(true);
    expect(isEnded(standing({ revokedSids: ['phone'] }), { sid: null, issuedAt: 0 })).toBe(false);
  });
});

describe('[ADMIN-52] the barrier', () => {
  /** A log whose partition 3 is this old at each look. */
  function logOf(ages: (number | null)[]) {
    const rung: number[] = [];
    let now = 1_000_000;
    let looks = 0;
    const wait = untilDrained({
      drainLog: {
        oldestAgeMs: async (partitions) => {
          const age = ages[Math.min(looks++, ages.length - 1)] ?? null;
          return partitions.map((partition) => (partition === 3 ? age : null));
        },
      },
      doorbell: { ring: (partition) => rung.push(partition) },
      clock: {
        now: () => now,
        sleep: async (ms, signal) => {
          signal?.throwIfAborted();
          now += ms;
        },
      },
    });
    return { wait, rung, waited: () => now - 1_000_000, looks: () => looks };
  }

  it('is passed at once by an empty log', async () => {
    const log = logOf([null]);
    await log.wait(new AbortController().signal);
    expect([log.waited(), log.looks(), log.rung]).toEqual([0, 1, []]);
  });

  it('is not passed while an entry from before it waits, and rings for that', async () => {
    const log = logOf([500, 600, 700, null]);
    await log.wait(new AbortController().signal);
    expect(log.looks()).toBe(4);
    expect(log.rung).toEqual([3, 3, 3]);
  });

  it('is passed under load, when what waits is younger than the call', async () => {
    const log = logOf([50]);
    await log.wait(new AbortController().signal);
    expect(log.waited()).toBeGreaterThan(1_000);
    expect(log.waited()).toBeLessThan(2_000);
    expect(PARTITIONS).toBe(64);
  });

  it('ends when it is told to', async () => {
    const ended = new AbortController();
    ended.abort();
    await expect(logOf([50]).wait(ended.signal)).rejects.toThrow();
  });
});
