import { Failure, type Presence, type PresenceChange } from '@parley/domain';
import { describe, expect, test } from 'vitest';
import { PresenceWatch } from '../src/ephemeral/presence-watch.ts';
import { ANN, BOB } from './feed-world.ts';

const ASK_EVERY_MS = 300_000;

/** A cache store of which a test says what it answers, and a clock. */
function scene() {
  let now = 1_000_000;
  const asked: string[][] = [];
  const answers = new Map<string, Presence['status']>();
  let whileAsked: () => void = () => undefined;
  let away = false;
  const change = (userId: string, status: Presence['status']): PresenceChange => {
    return { userId, status, lastSeenAt: now, holdsForMs: status === 'offline' ? null : 1_000 };
  };
  const watch = new PresenceWatch({
    clock: { now: () => now },
    askEveryMs: ASK_EVERY_MS,
    presences: {
      forget: async () => undefined,
    of: async (userIds) => {
        if (away) throw new Failure('UNAVAILABLE', 'away');
        asked.push([...userIds]);
        const found = userIds.map((userId) => ({ ...change(userId, answers.get(userId) ?? 'offline'), text: null }));
        whileAsked();
        return found;
      },
    },
  });
  const told: string[] = [];
  const watcher = ({ userId, status }: PresenceChange) => void told.push(`${userId === ANN ? 'ann' : 'bob'} ${status}`);
  return {
    watch,
    watcher,
    told,
    asked,
    answers,
    change,
    pass: (ms: number) => {
      now += ms;
    },
    duringAnswer: (work: () => void) => {
      whileAsked = work;
    },
    goAway: (isAway: boolean) => {
      away = isAway;
    },
  };
}

describe('[PRES-11] what a thread tells of presence', () => {
  test('the first answer is no change, the next one is', async () => {
    const { watch, watcher, told, change } = scene();
    watch.watch(ANN, watcher, { owed: false });
    await watch.look();
    expect(told).toEqual([]);
    watch.hear([change(ANN, 'online'), change(BOB, 'online')]);
    await watch.look();
    await watch.look();
    expect(told).toEqual(['ann online']);
  });

  test('what is published before the first answer is told, and the answer does not undo it', async () => {
    const { watch, watcher, told, change, duringAnswer } = scene();
    watch.watch(ANN, watcher, { owed: false });
    duringAnswer(() => watch.hear([change(ANN, 'away')]));
    await watch.look();
    expect(told).toEqual(['ann away']);
  });

  test('a hundred changes between two looks are one, and one that is taken back is none', async () => {
    const { watch, watcher, told, change } = scene();
    for (const userId of [ANN, BOB]) watch.watch(userId, watcher, { owed: false });
    await watch.look();
    for (let i = 0; i < 50; i++) watch.hear([change(ANN, 'away'), change(ANN, 'busy'), change(BOB, 'online')]);
    watch.hear([change(BOB, 'offline')]);
    await watch.look();
    expect(told).toEqual(['ann busy']);
  });

  test('who joined is told of if he is not offline, and to those alone who do not know', async () => {
    const { watch, watcher, told, answers, change } = scene();
    const late: string[] = [];
    const latecomer = ({ status }: PresenceChange) => void late.push(status);
    answers.set(ANN, 'busy');
    watch.watch(ANN, watcher, { owed: false });
    await watch.look();
    watch.watch(ANN, latecomer, { owed: true });
    watch.watch(BOB, latecomer, { owed: true });
    await watch.look();
    await watch.look();
    expect([told, late]).toEqual([[], ['busy']]);
    watch.hear([change(ANN, 'online')]);
    await watch.look();
    expect([told, late]).toEqual([['ann online'], ['busy', 'online']]);
  });

  test('nobody is held in mind whom nobody watches', async () => {
    const { watch, watcher, told, change } = scene();
    const other = () => undefined;
    watch.watch(ANN, watcher, { owed: false });
    watch.watch(ANN, other, { owed: false });
    watch.unwatch(ANN, watcher);
    expect(watch.size).toBe(1);
    watch.hear([change(ANN, 'online')]);
    watch.unwatch(ANN, other);
    expect(watch.size).toBe(0);
    await watch.look();
    expect(told).toEqual([]);
  });
});

describe('[PRES-12] what a node that died does not tell is asked for', () => {
  test('whose hold has ended is asked for once, the others are left alone', async () => {
    const { watch, watcher, told, asked, answers, change, pass } = scene();
    for (const userId of [ANN, BOB]) watch.watch(userId, watcher, { owed: false });
    answers.set(ANN, 'online');
    await watch.look();
    pass(900);
    await watch.look();
    expect(asked).toHaveLength(1);
    answers.delete(ANN);
    pass(200);
    await watch.look();
    await watch.look();
    expect(asked.slice(1)).toEqual([[ANN]]);
    expect(told).toEqual(['ann offline']);
    // Who is offline is asked for now and then, too: that he came may have been lost.
    answers.set(BOB, 'online');
    pass(ASK_EVERY_MS);
    await watch.look();
    expect(told).toEqual(['ann offline', 'bob online']);
    watch.hear([change(ANN, 'online')]);
  });

  test('after a lost connection everybody is asked for, and only what has changed is told', async () => {
    const { watch, watcher, told, answers } = scene();
    for (const userId of [ANN, BOB]) watch.watch(userId, watcher, { owed: false });
    await watch.look();
    answers.set(ANN, 'busy');
    await watch.look();
    // The control: nobody suspects anything yet.
    expect(told).toEqual([]);
    watch.suspect();
    await watch.look();
    expect(told).toEqual(['ann busy']);
  });

  test('while the store is away nothing is told, and then what has changed', async () => {
    const { watch, watcher, told, answers, goAway } = scene();
    watch.watch(ANN, watcher, { owed: false });
    await watch.look();
    goAway(true);
    watch.suspect();
    answers.set(ANN, 'online');
    await watch.look();
    expect(told).toEqual([]);
    goAway(false);
    await watch.look();
    expect(told).toEqual(['ann online']);
  });
});
