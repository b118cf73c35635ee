import { setImmediate as turn } from 'node:timers/promises';
import { tracked } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import type { Backstage } from './backstage.ts';
import { throwAs } from './procedure-parts.ts';

type Feed = AsyncIterable<unknown>;

/** Feeds that nobody should write and somebody will, by name. */
export type StrangeFeed = (signal: AbortSignal | undefined) => Feed | ReturnType<typeof observable>;

const result = (value: unknown) => ({ value, done: false as const });
const END = { value: undefined, done: true as const };

/** An iterator by hand that gives the numbers up to a limit, and whatever else is asked of it. */
function byHand(limit: number, rest: Partial<AsyncIterator<unknown>> = {}): Feed {
  let n = 0;
  return {
    [Symbol.asyncIterator]: () => ({ next: async () => (n < limit ? result(++n) : END), ...rest }),
  };
}

function iterators(stage: Backstage): Record<string, StrangeFeed> {
  return {
    'without return': () => byHand(2),
    'return is noted': () =>
      byHand(2, {
        return: async () => {
          stage.note('by hand', 'return');
          return END;
        },
      }),
    'return throws': () => byHand(2, { return: async () => throwAs('error') }),
    'return throws at once': () => byHand(2, { return: () => throwAs('error') }),
    'next throws at once': () => byHand(0, { next: () => throwAs('error') }),
    'next throws at once, return too': () =>
      byHand(0, { next: () => throwAs('trpc'), return: async () => throwAs('error') }),
    'next rejects': () => byHand(0, { next: async () => throwAs('string') }),
    'next rejects, return too': () =>
      byHand(0, { next: async () => throwAs('trpc'), return: async () => throwAs('error') }),
    'gives a result without words': () => {
      let n = 0;
      return byHand(0, { next: async () => JSON.parse(n++ < 2 ? '{}' : '{"done":1}') });
    },
    'gives no result': () => byHand(0, { next: async () => JSON.parse('null') }),
    'gives no promise': () => byHand(0, { next: () => JSON.parse('{"value":1}') }),
    'has no next': () => byHand(0, JSON.parse('{"next":null}')),
    'has no iterator': () => ({ [Symbol.asyncIterator]: () => JSON.parse('null') }),
    'no iterator at all': () => ({ [Symbol.asyncIterator]: () => throwAs('error') }),
    'is disposed of': () => ({
      [Symbol.asyncIterator]: () =>
        Object.assign(byHand(2)[Symbol.asyncIterator](), {
          return: async () => {
            stage.note('by hand', 'return');
            return END;
          },
          [Symbol.asyncDispose]: async () => stage.note('by hand', 'dispose'),
        }),
    }),
    'hangs in return': () => byHand(2, { return: () => new Promise(() => undefined) }),
    'hangs in next': () =>
      byHand(0, {
        next: () => new Promise(() => undefined),
        return: async () => {
          stage.note('by hand', 'return');
          return END;
        },
      }),
  };
}

function generators(stage: Backstage): Record<string, StrangeFeed> {
  return {
    'gives a result at its end': async function* () {
      yield 1;
      return 'the result';
    },
    'throws in finally': async function* () {
      try {
        yield 1;
      } finally {
        throwAs('error');
      }
    },
    'throws in finally when stopped': async function* (signal) {
      try {
        yield 1;
        await once(signal);
      } finally {
        throwAs('error');
      }
    },
    'rejects when stopped': async function* (signal) {
      yield 1;
      await once(signal);
      throwAs('trpc');
    },
    'gives up when stopped': async function* (signal) {
      yield 1;
      await once(signal);
      throwAs('abort');
    },
    'goes on when stopped': async function* (signal) {
      yield 1;
      await once(signal);
      stage.note('goes on', 'still here');
      yield 2;
      stage.note('goes on', 'and again');
      yield 3;
    },
    'lingers in finally': async function* (signal) {
      try {
        yield 1;
        await once(signal);
      } finally {
        await stage.gate('linger');
        stage.note('lingers', 'gone');
      }
    },
    'cannot be encoded': async function* () {
      yield 1;
      yield 10n;
      yield 3;
    },
    'goes in circles': async function* () {
      const circle: unknown[] = [];
      circle.push(circle);
      yield circle;
    },
    'takes its turns': async function* () {
      for (let n = 1; n <= 5; n++) {
        await turn();
        yield tracked(`t${n}`, n);
      }
    },
    'a burst': async function* () {
      for (let n = 1; n <= 200; n++) yield tracked(`b${n}`, { n, text: 'x'.repeat(n) });
    },
    promises: async function* () {
      yield Promise.resolve('kept');
      yield Promise.reject(new Error('broken'));
    },
  };
}

function observables(stage: Backstage): Record<string, StrangeFeed> {
  return {
    'complete within subscribe': () =>
      observable<unknown>((observer) => {
        observer.next(1);
        observer.next(tracked('o2', 2));
        observer.complete();
        observer.next(3);
        return () => stage.note('observable', 'teardown');
      }),
    'error within subscribe': () =>
      observable<unknown>((observer) => {
        observer.next(1);
        observer.error(new Error('within'));
        return () => stage.note('observable', 'teardown');
      }),
    'throws within subscribe': () => observable<unknown>(() => throwAs('trpc')),
    'throws in teardown': () =>
      observable<unknown>((observer) => {
        observer.next(1);
        return () => throwAs('error');
      }),
    'throws in teardown after its end': () =>
      observable<unknown>((observer) => {
        observer.next(1);
        queueMicrotask(() => {
          try {
            observer.complete();
          } catch (cause) {
            stage.note('observable', String(cause));
          }
        });
        return () => throwAs('error');
      }),
    'silent observable': () => observable<unknown>(() => () => stage.note('observable', 'teardown')),
  };
}

/** Resolves when the signal fires. */
function once(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The strange feeds of a stage. */
export function createStrangeFeeds(stage: Backstage): Record<string, StrangeFeed> {
  return { ...iterators(stage), ...generators(stage), ...observables(stage) };
}
