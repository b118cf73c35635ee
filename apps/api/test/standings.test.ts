import { Failure, type Standing } from '@parley/domain';
import { createLog } from '@parley/runtime';
import { describe, expect, it } from 'vitest';
import { LiveSessions } from '../src/auth/live-sessions.ts';
import { EndedSession, Standings } from '../src/auth/standings.ts';

const log = createLog({ name: 'test', level: 'silent' });
const claims = { sid: null, issuedAt: 5_000 };
const disabled = (userId: string): Standing => ({
  userId,
  disabledAt: 1,
  erasedAt: null,
  revokedAt: null,
  revokedSids: [],
});

/** Postgres' part, in memory: who is barred, what was asked, and whether it answers. */
function scene() {
  const barred = new Set<string>();
  const asked: string[][] = [];
  let now = 0;
  let away = false;
  let held: Promise<void> = Promise.resolve();
  const standings = new Standings({
    directory: {
      standings: async (userIds) => {
        asked.push([...userIds]);
        if (away) throw new Failure('UNAVAILABLE', 'away');
        // What is read is what was there when it was asked.
        const seen = userIds.filter((userId) => barred.has(userId)).map(disabled);
        await held;
        return seen;
      },
    },
    log,
    clock: { now: () => now },
    remember: 3,
  });
  return {
    standings,
    barred,
    asked,
    pass: (ms: number) => {
      now += ms;
    },
    away: (is: boolean) => {
      away = is;
    },
    /** Answers are on their way until the function is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = Promise.resolve();
        resolve();
      };
    },
  };
}

const refusal = expect.objectContaining({ code: 'UNAUTHENTICATED', cause: expect.any(EndedSession) });

describe('[ADMIN-18] a user’s standing', () => {
  it('is asked for once, together with that of others who come in at the same time, and again after a minute', async () => {
    const { standings, asked, pass } = scene();
    await Promise.all(['a', 'b', 'a'].map((userId) => standings.check(userId, claims)));
    await standings.check('a', claims);
    expect(asked).toEqual([['a', 'b']]);
    pass(60_000);
    await standings.check('a', claims);
    expect(asked).toEqual([['a', 'b'], ['a']]);
  });

  it('is asked for again after a hint, also when an older answer was on its way', async () => {
    const { standings, barred, asked, hold } = scene();
    const release = hold();
    const first = standings.check('a', claims);
    await new Promise((resolve) => setImmediate(resolve));
    barred.add('a');
    standings.forget('a');
    release();
    await first;
    await expect(standings.check('a', claims)).rejects.toEqual(refusal);
    expect(asked).toEqual([['a'], ['a']]);
  });

  it('is forgotten, of the one who came first, when there are too many', async () => {
    const { standings, asked } = scene();
    for (const userId of ['a', 'b', 'c', 'd', 'd', 'b', 'a']) await standings.check(userId, claims);
    expect(asked.flat()).toEqual(['a', 'b', 'c', 'd', 'a']);
  });

  it('bars nobody while Postgres is away, except whom it is known to bar', async () => {
    const { standings, barred, away, pass } = scene();
    barred.add('a');
    await expect(standings.check('a', claims)).rejects.toEqual(refusal);
    away(true);
    pass(60_000);
    await expect(standings.check('a', claims)).rejects.toEqual(refusal);
    await standings.check('b', claims);
  });
});

describe('[ADMIN-19] live sessions', () => {
  const waited = () => new Promise((resolve) => setTimeout(resolve, 5));

  it('end when their user is barred while they come in, or while Postgres was away', async () => {
    const { standings, barred, away } = scene();
    const live = new LiveSessions({ standings, log, everyMs: 10 });
    live.run();
    const ended: string[] = [];
    using _a = live.enter('a', claims, () => ended.push('a'));
    using _b = live.enter('b', claims, () => ended.push('b'));
    away(true);
    barred.add('a');
    live.standing('a');
    await waited();
    expect(ended).toEqual([]);
    away(false);
    for (let tries = 0; tries < 200 && ended.length === 0; tries++) await waited();
    expect(new Set(ended)).toEqual(new Set(['a']));
    await live.stop();
  });

  it('are looked at without any hint, and no more when they are gone', async () => {
    const { standings, barred, asked } = scene();
    const live = new LiveSessions({ standings, log, everyMs: 1 });
    const ended: string[] = [];
    const entry = live.enter('a', claims, () => ended.push('a'));
    barred.add('a');
    live.run();
    for (let tries = 0; tries < 200 && ended.length === 0; tries++) await waited();
    expect(ended[0]).toBe('a');
    entry[Symbol.dispose]();
    await waited();
    const before = asked.length;
    for (let i = 0; i < 5; i++) await waited();
    expect(asked.length).toBe(before);
    await live.stop();
  });
});
