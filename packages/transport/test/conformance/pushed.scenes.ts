import { tracked } from '@trpc/server';
import { feed, query, stop } from './frames.ts';
import type { Player, Scene } from './player.ts';
import type { Variant } from './router.ts';

const VARIANTS: readonly Variant[] = ['plain', 'dev', 'transformed', 'formatted'];

const pushed = (id: number | string, input?: unknown) => feed(id, 'feeds.pushed', input);

const DATA: readonly unknown[] = [
  ...[1, 'text', '', null, undefined, false, [], {}, [undefined], { gone: undefined }, Number.NaN, new Date(0)],
  ...['🙂 \u2028 \u0000 \ud800 "\\" ﷽ é', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65_600), { deep: { é: '🙂' } }],
];

const ENDS: Record<string, (p: Player) => Promise<void>> = {
  'its stop': (p) => p.say(stop(1)),
  'its stop, twice': (p) => p.say(stop(1), stop(1), stop(2), stop(2)),
  'its client': (p) => p.do('closes', () => p.client().close()),
  'a cut': (p) => p.do('is cut', () => p.client().terminate()),
  'the server': (p) => p.do('server closes', () => p.served().close(4010, 'enough')),
  'the server’s cut': (p) => p.do('server cuts', () => p.served().terminate()),
  'its source': (p) => p.do('completes', () => p.stage.source('main').complete()),
  'an error of its source': (p) => p.do('fails', () => p.stage.source('main').error(new Error('the source failed'))),
  'what is no error': (p) => p.do('fails', () => p.stage.source('main').error(undefined)),
  'an event that cannot be encoded': (p) => p.emit(tracked('3', 3), tracked('4', 10n), tracked('5', 5)),
};

/** Feeds that may be pushed: no client can tell. */
export const PUSHED_SCENES: readonly Scene[] = [
  ...VARIANTS.map(
    (router): Scene => ({
      name: `pushed events of every kind, to many, ${router}`,
      router,
      async play(p) {
        await p.join('b');
        p.tell('b', pushed(1), pushed('é'), pushed(''));
        await p.say(
          pushed(1),
          pushed(2),
          pushed('a "text"'),
          { ...pushed(4), jsonrpc: '2.0' },
          pushed(-1.5),
          pushed(123_456_789),
        );
        for (const [n, data] of DATA.entries()) await p.emit(tracked(`${n}-é`, data));
        await p.emit(...DATA.map((data, n) => tracked(`all-${n}`, data)));
        await p.say(stop(2), query(7, 'hello'));
        await p.emit(tracked('last', 1));
      },
    }),
  ),
  ...Object.entries(ENDS).map(
    ([way, end]): Scene => ({
      name: `pushed feeds, ended by ${way}`,
      async play(p) {
        await p.say(pushed(1), pushed(2), feed(3, 'feeds.follow'));
        await p.emit(tracked('1', 1), tracked('2', 2));
        await end(p);
        await p.emit(tracked('9', 9));
        await p.do('completes', () => p.stage.source('main').complete());
      },
    }),
  ),
  ...['ends', 'fails', 'throws'].flatMap((ending) =>
    VARIANTS.map(
      (router): Scene => ({
        name: `a pushed feed that ${ending} by itself, ${router}`,
        router,
        async play(p) {
          await p.say(pushed(1, { ending, first: 0 }), pushed(2, { ending, first: 3 }));
          await p.say(pushed(1, { ending, first: 1 }), stop(1));
        },
      }),
    ),
  ),
  {
    name: 'pushed feeds and their ids',
    async play(p) {
      await p.say(pushed(1), pushed(1), stop(1), pushed(1));
      await p.emit(tracked('1', 1));
      await p.say(pushed(1, { first: 2 }));
      await p.emit(tracked('2', 2));
      await p.say([pushed(2), stop(2)], [pushed(2, { first: 1 })]);
      await p.emit(tracked('3', 3));
    },
  },
  {
    name: 'a pushed feed asked for by a call, and beside answers',
    async play(p) {
      await p.say(query(1, 'pushable'), pushed(2, { first: 3 }), query(3, 'hello'), 'PING');
      await p.broadcast();
    },
  },
  {
    name: 'pushed events, and a stop in the same turn',
    async play(p) {
      await p.say(pushed(1));
      await p.do('emits and is stopped', () => {
        p.stage.source('main').next(tracked('1', 1));
        p.tell('a', stop(1));
      });
      await p.emit(tracked('2', 2));
    },
  },
  {
    name: 'pushed events on a socket that compresses',
    server: { perMessageDeflate: { threshold: 0 } },
    async play(p) {
      await p.say(pushed(1), query(2, 'hello'));
      await p.emit(tracked('1', 'y'.repeat(5_000)), tracked('2', 2));
      await p.broadcast();
    },
  },
  {
    name: 'a thousand pushed events at once, to ten',
    async play(p) {
      await p.say(...Array.from({ length: 10 }, (_, n) => pushed(n)));
      await p.emit(...Array.from({ length: 1_000 }, (_, n) => tracked(`e${n}`, { n })));
    },
  },
];
