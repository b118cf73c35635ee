import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { createLog, Lifecycle, Loop, type Service, singleFlight, systemClock } from '../src/index.ts';

const log = createLog({ name: 'test', level: 'silent' });

describe('Lifecycle', () => {
  function recorder() {
    const events: string[] = [];
    const service = (name: string, broken: { run?: Error; stop?: Error } = {}): Service => ({
      name,
      run() {
        events.push(`run ${name}`);
        if (broken.run) throw broken.run;
      },
      async stop() {
        events.push(`stop ${name}`);
        if (broken.stop) throw broken.stop;
      },
    });
    return { events, service };
  }

  test('[RUN-3] what faces users starts last and stops first, each group in reverse', async () => {
    const { events, service } = recorder();
    const life = new Lifecycle({ log });
    life.userFacing(service('door'));
    life.supporting(service('store'));
    life.supporting(service('hub'));
    life.userFacing(service('ops'));
    await life.run();
    await Promise.all([life.drain(), life.drain()]);
    expect(events.join(', ')).toBe('run store, run hub, run door, run ops, stop ops, stop door, stop hub, stop store');
  });

  test('[RUN-3] a service that does not stop keeps none of the others from it; the errors come together', async () => {
    const { events, service } = recorder();
    const life = new Lifecycle({ log, stopWithinMs: 50 });
    life.supporting(service('store'));
    life.supporting({ name: 'stuck', run: () => undefined, stop: () => new Promise(() => undefined) });
    life.userFacing(service('door', { stop: new Error('jammed') }));
    await life.run();
    const error = await life.drain().catch((failure: unknown) => failure);
    expect(error instanceof AggregateError && error.errors.map((e) => `${e.message}: ${e.cause.message}`)).toEqual([
      'door did not stop: jammed',
      'stuck did not stop: stuck did not stop within 50 ms',
    ]);
    expect(events).toContain('stop store');
  });

  test('a start that fails stops what was started and throws the reason', async () => {
    const { events, service } = recorder();
    const life = new Lifecycle({ log });
    life.supporting(service('store'));
    life.supporting(service('hub', { run: new Error('no memory') }));
    life.userFacing(service('door'));
    await expect(life.run()).rejects.toThrow('no memory');
    expect(events).toEqual(['run store', 'run hub', 'stop hub', 'stop store']);
  });
});

describe('Loop', () => {
  test('[RUN-4] a round that fails is followed by another; stop waits for the round under way', async () => {
    let rounds = 0;
    let finished = 0;
    const onError = vi.fn();
    const loop = new Loop({
      name: 'sweep',
      everyMs: 1,
      log,
      onError,
      maxBackoffMs: 5,
      async work() {
        rounds++;
        if (rounds <= 2) throw new Error('not yet');
        await sleep(20);
        finished++;
      },
    });
    loop.run();
    loop.run();
    await vi.waitFor(() => expect(finished).toBeGreaterThan(1));
    await loop.stop();
    expect(onError).toHaveBeenCalledTimes(2);
    expect(finished).toBe(rounds - 2);
    const after = rounds;
    await sleep(30);
    expect(rounds).toBe(after);
  });

  test('wake ends the pause, also when it comes during a round', async () => {
    let rounds = 0;
    const loop: Loop = new Loop({
      name: 'sweep',
      everyMs: 60_000,
      log,
      work() {
        rounds++;
        if (rounds === 1) loop.wake();
      },
    });
    loop.run();
    await vi.waitFor(() => expect(rounds).toBe(2));
    loop.wake();
    await vi.waitFor(() => expect(rounds).toBe(3));
    await loop.stop();
    expect(rounds).toBe(3);
  });

  test('the pause grows with failures in a row and is short again after a success', async () => {
    const pauses: number[] = [];
    const failing = [true, true, true, false];
    const loop: Loop = new Loop({
      name: 'sweep',
      everyMs: 100,
      log,
      clock: {
        now: () => 0,
        async sleep(ms) {
          pauses.push(ms);
          if (pauses.length === 4) void loop.stop();
        },
      },
      work() {
        if (failing.shift()) throw new Error('down');
      },
    });
    loop.run();
    await vi.waitFor(() => expect(pauses).toHaveLength(4));
    expect(pauses[1]).toBeGreaterThanOrEqual(100);
    expect(pauses[2]).toBeGreaterThanOrEqual(200);
    expect(pauses[3]).toBe(100);
  });
});

test('singleFlight shares what is under way and forgets failures', async () => {
  let calls = 0;
  const load = singleFlight(async (key: string) => {
    calls++;
    await sleep(5);
    if (calls === 1) throw new Error('first fails');
    return `${key}${calls}`;
  });
  const first = await Promise.allSettled([load('a'), load('a')]);
  expect(first.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
  expect(calls).toBe(1);
  expect(await Promise.all([load('a'), load('a'), load('b')])).toEqual(['a3', 'a3', 'b3']);
  const broken = singleFlight((_: string): Promise<void> => {
    throw new Error('at once');
  });
  await expect(broken('x')).rejects.toThrow('at once');
  await expect(broken('x')).rejects.toThrow('at once');
});

test('the clock’s sleep rejects with the reason it was ended for', async () => {
  const end = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => end.abort(reason), 5);
  await expect(systemClock.sleep(60_000, end.signal)).rejects.toBe(reason);
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
});
