import { describe, expect, it } from 'vitest';
import { judgeFlatness, slopeOf } from './load/flatness.ts';
import type { Level } from './load/levels.ts';

const EMPTY: Level = { second: 0, heapMiB: 40, connections: 0, listeners: 0, files: 100, keys: 10, sqlConnections: 5 };
const phases = [
  { name: 'warm-up', duration: 300, arrivalCount: 100 },
  { name: 'load', pause: 14_000 },
  { name: 'cool-down', pause: 100 },
];

/** A look each minute for four hours; `grown` is what a level is by then, of what it was at first. */
function soak(grown: Partial<Record<keyof Level, number>> = {}, hours = 4) {
  const full: Level = {
    second: 0,
    heapMiB: 90,
    connections: 100,
    listeners: 300,
    files: 220,
    keys: 9_000,
    sqlConnections: 12,
  };
  const during = Array.from({ length: hours * 60 }, (_, minute): Level => {
    const at = (of: Exclude<keyof Level, 'second'>) => {
      const share = 1 + ((grown[of] ?? 1) - 1) * (minute / (hours * 60));
      // A heap rises by a half until it is collected.
      return (full[of] ?? 0) * share * (of === 'heapMiB' ? 1 + (minute % 7) / 14 : 1);
    };
    return {
      second: minute * 60,
      heapMiB: at('heapMiB'),
      connections: at('connections'),
      listeners: at('listeners'),
      files: at('files'),
      keys: at('keys'),
      sqlConnections: at('sqlConnections'),
    };
  });
  return { before: EMPTY, during, after: { ...EMPTY, second: hours * 3_600, heapMiB: 60 } };
}

const statesOf = (...given: Parameters<typeof judgeFlatness>) =>
  Object.fromEntries(judgeFlatness(...given).map(({ promise, state }) => [promise.split(':')[0], state]));

describe('a soak', () => {
  it('[LOAD-14] keeps its promises when every level stays what it was, though the heap rises and is collected', () => {
    expect(new Set(Object.values(statesOf(soak(), phases)))).toEqual(new Set(['kept']));
  });

  it.each([
    ['heapMiB', 'heap of the api after collections'],
    ['files', 'open files'],
    ['listeners', 'listeners'],
    ['keys', 'keys in Redis'],
    ['sqlConnections', 'connections to Postgres'],
  ] as const)('[LOAD-14] control: %s that grow by a tenth in four hours break one', (of, promise) => {
    expect(statesOf(soak({ [of]: 1.1 }), phases)).toMatchObject({ [promise]: 'broken' });
    expect(statesOf(soak({ [of]: 1.02 }), phases)).toMatchObject({ [promise]: 'kept' });
  });

  it('[LOAD-14] control: a listener or a connection that nobody let go of breaks one', () => {
    const good = soak();
    for (const of of ['connections', 'listeners'] as const) {
      const states = statesOf({ ...good, after: { ...good.after, [of]: 1 } }, phases);
      expect(states).toMatchObject({ [`${of} when all have left`]: 'broken' });
    }
  });

  it('[LOAD-14] does not judge a slope of less than two hours, nor what nobody could tell', () => {
    const short = statesOf(soak({ heapMiB: 2 }, 1), phases);
    expect(short).toMatchObject({ 'open files': 'noted', 'listeners when all have left': 'kept' });
    const unknown = { ...EMPTY, listeners: null };
    const states = statesOf({ before: unknown, during: [unknown], after: unknown }, phases);
    expect(states).toMatchObject({ 'listeners when all have left': 'unknown', 'open files': 'unknown' });
  });

  it('a slope is growth an hour by the mean', () => {
    const at = (second: number, value: number) => ({ second, value });
    expect(slopeOf([at(0, 99), at(1_800, 100), at(3_600, 101)])).toBeCloseTo(0.02);
    expect(slopeOf([at(0, 5), at(3_600, 5)])).toBe(0);
  });
});
