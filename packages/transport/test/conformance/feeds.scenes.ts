import { tracked } from '@trpc/server';
import { Backstage } from './backstage.ts';
import { after, feed, query, stop } from './frames.ts';
import type { Scene } from './player.ts';
import { THROWN_KINDS } from './procedure-parts.ts';
import { strangeFeedNames, type Variant } from './router.ts';

const VARIANTS: readonly Variant[] = ['plain', 'dev', 'transformed', 'formatted'];

/** The ways in which a feed is ended from outside. */
const ENDS: Record<string, Scene['play']> = {
  'its stop': (p) => p.say(stop(1)),
  'its stop, twice': (p) => p.say(stop(1), stop(1)),
  'its client': (p) => p.do('closes', () => p.client().close()),
  'a cut': (p) => p.do('is cut', () => p.client().terminate()),
  'the server': (p) => p.do('server closes', () => p.served().close(4010, 'enough')),
  'the server’s cut': (p) => p.do('server cuts', () => p.served().terminate()),
};

const endings = Object.entries(ENDS).flatMap(([way, end]): Scene[] => [
  {
    name: `feeds of every making, ended by ${way}`,
    async play(p) {
      const feeds = [feed(1, 'feeds.follow'), feed(2, 'feeds.observe'), feed(3, 'feeds.never'), feed(4, 'feeds.count')];
      await p.say(
        ...feeds,
        feed(5, 'feeds.setup', { gate: 'five' }),
        feed(6, 'feeds.setup', { gate: 'six', heeds: true }),
      );
      await p.emit(1, tracked('2', 2));
      await end(p);
      await p.emit(3);
      await p.open('six');
      await p.open('five');
      await p.emit(4);
    },
  },
  ...strangeFeedNames(new Backstage()).map(
    (name): Scene => ({
      name: `a feed that ${name}, ended by ${way}`,
      async play(p) {
        await p.say(feed(1, 'feeds.strange', { feed: name }));
        await end(p);
        await p.open('linger');
      },
    }),
  ),
]);

/** Subscriptions: what they give, how they end, how they fail. */
export const FEED_SCENES: readonly Scene[] = [
  {
    name: 'feeds that end by themselves',
    async play(p) {
      await p.say(feed(1, 'feeds.count'));
      await p.say(feed(2, 'feeds.atOnce'));
      await p.say(feed(3, 'late.count', { to: 1 }));
      await p.say(feed('four', 'feeds.count', { to: 2 }), feed(5, 'feeds.count', { to: 2 }), query(6, 'hello'));
      await p.say([feed(7, 'feeds.count'), feed(8, 'feeds.atOnce'), query(9, 'hello')]);
    },
  },
  ...VARIANTS.map(
    (router): Scene => ({
      name: `values of every kind in a feed, ${router}`,
      router,
      play: (p) => p.say(feed(1, 'feeds.values')),
    }),
  ),
  ...VARIANTS.map(
    (router): Scene => ({
      name: `feeds that fail in every way, ${router}`,
      router,
      async play(p) {
        for (const kind of THROWN_KINDS) {
          await p.say(feed(1, 'feeds.failFirst', { kind }));
          await p.say(feed(2, 'feeds.failLater', { kind }));
          await p.say(feed(3, 'feeds.failSetup', { kind }));
        }
        await p.say(feed(4, 'feeds.checked'));
        await p.say(feed(5, 'feeds.notOne'), feed(6, 'feeds.strict', 7), feed(7, 'feeds.strict', 'loud'));
        await p.say(feed(8, 'feeds.signed'), feed(9, 'nobody'), feed(10, 'missing.x'));
      },
    }),
  ),
  ...VARIANTS.flatMap((router) =>
    strangeFeedNames(new Backstage()).map(
      (name): Scene => ({
        name: `a feed that ${name}, ${router}`,
        router,
        async play(p) {
          await p.say(feed(1, 'feeds.strange', { feed: name }));
          await p.say(feed(1, 'feeds.strange', { feed: name }), stop(1), stop(1));
          await p.say(feed(1, 'feeds.count'));
          await p.open('linger');
        },
      }),
    ),
  ),
  ...endings,
  {
    name: 'going on after the last event',
    async play(p) {
      for (const input of [undefined, null, {}, { lastEventId: '2' }, { other: true }, 'text', [1]]) {
        await p.say(after('7', feed(1, 'feeds.resume', input)));
        await p.say(stop(1));
        await p.say(after('7', feed(2, 'feeds.bare', input)));
        await p.say(stop(2));
        await p.say(feed(3, 'feeds.bare', input));
        await p.say(stop(3));
      }
      await p.say(after('', feed(4, 'feeds.resume', {})), after('', feed(5, 'feeds.bare', undefined)));
      await p.say(after(7, feed(6, 'feeds.bare', {})), after(null, feed(7, 'feeds.bare', {})));
    },
  },
  {
    name: 'events that are pushed',
    async play(p) {
      await p.say(feed(1, 'feeds.follow'), feed(2, 'feeds.follow'), feed(3, 'feeds.observe'));
      await p.emit(tracked('1', { n: 1 }));
      await p.emit(
        1,
        tracked('2', 2),
        undefined,
        null,
        tracked('3', undefined),
        ['4', 4],
        [],
        tracked('5', tracked('6', 6)),
      );
      await p.emit(...Array.from({ length: 300 }, (_, n) => tracked(`e${n}`, { n })));
      await p.do('completes', () => p.stage.source('main').complete());
      await p.emit(9);
    },
  },
  {
    name: 'a source that fails',
    async play(p) {
      await p.say(feed(1, 'feeds.follow'), feed(2, 'feeds.observe'));
      await p.emit(1);
      await p.do('fails', () => {
        p.stage.source('main').next(2);
        p.stage.source('main').error(new Error('the source failed'));
      });
      await p.emit(3);
      await p.say(feed(1, 'feeds.follow'), feed(2, 'feeds.observe'));
      await p.do('fails', () => p.stage.source('main').error(undefined));
    },
  },
  {
    name: 'stops',
    async play(p) {
      await p.say(
        stop(1),
        stop('x'),
        stop(null),
        { id: 2, method: 'subscription.stop', params: 7 },
        { method: 'subscription.stop' },
      );
      await p.say(feed(1, 'feeds.count'));
      await p.say(stop(1));
      await p.say(feed(1, 'feeds.follow'));
      await p.say(stop('1'));
      await p.emit(1);
      await p.say(stop(1));
      await p.emit(2);
      await p.say(stop(1));
    },
  },
  {
    name: 'stops right after the start, and ids used anew at once',
    async play(p) {
      await p.say(feed(1, 'feeds.follow'), stop(1));
      await p.say(feed(1, 'feeds.follow'), stop(1), feed(1, 'feeds.follow'));
      await p.say(feed(1, 'feeds.follow'));
      await p.emit(1);
      await p.say(stop(1), feed(1, 'feeds.follow'));
      await p.emit(2);
      await p.say([stop(1), feed(1, 'feeds.observe')]);
      await p.say([feed(1, 'feeds.observe')], [stop(1), query(1, 'hello')]);
      await p.emit(3);
      await p.say(feed(2, 'late.follow'), stop(2), feed(2, 'late.follow'));
      await p.emit(4);
      await p.say(feed(3, 'feeds.count'), stop(3), feed(3, 'feeds.atOnce'));
    },
  },
  {
    name: 'one id twice',
    async play(p) {
      await p.say(feed(1, 'feeds.follow'), feed(1, 'feeds.follow'), query(1, 'hello'));
      await p.emit(1);
      await p.say(feed('1', 'feeds.follow'), feed(1, 'nobody'), feed(1, 'feeds.strict', 7));
      await p.emit(2);
      await p.say([feed(1, 'feeds.count'), feed(2, 'feeds.count'), feed(2, 'feeds.count')]);
      await p.say(query(3, 'wait', { gate: 'three' }), feed(3, 'feeds.follow'));
      await p.say(feed(4, 'feeds.setup', { gate: 'four' }), feed(4, 'feeds.follow'));
      await p.open('three');
      await p.open('four');
      await p.emit(3);
      await p.say(stop(1), stop('1'), stop(3));
      await p.say(
        feed(-1, 'feeds.follow'),
        feed(0, 'feeds.follow'),
        feed('', 'feeds.follow'),
        feed(1.5, 'feeds.follow'),
      );
      await p.say(stop(0), stop(''), stop(1.5), stop(-1));
    },
  },
  ...['none', 'trpc', 'abort', 'error'].map(
    (kind): Scene => ({
      name: `a setup that takes its time, then ${kind}`,
      async play(p) {
        const input = kind === 'none' ? {} : { kind };
        await p.say(
          feed(1, 'feeds.setup', { gate: 'one', ...input }),
          feed(2, 'feeds.setupObserve', { gate: 'one', ...input }),
        );
        await p.open('one');
        await p.say(stop(1), stop(2));
        await p.say(
          feed(1, 'feeds.setup', { gate: 'two', ...input }),
          feed(2, 'feeds.setupObserve', { gate: 'two', ...input }),
        );
        await p.say(stop(1), stop(2), feed(1, 'feeds.count'), feed(2, 'feeds.count'));
        await p.open('two');
        await p.say(
          feed(3, 'feeds.setup', { gate: 'three', ...input }),
          feed(4, 'feeds.setupObserve', { gate: 'three' }),
        );
        await p.do('is cut', () => p.client().terminate());
        await p.open('three');
      },
    }),
  ),
  {
    name: 'a setup that heeds its signal',
    async play(p) {
      await p.say(feed(1, 'feeds.setup', { gate: 'one', heeds: true }), stop(1));
      await p.open('one');
      await p.say(feed(2, 'feeds.setup', { gate: 'two', kind: 'abort' }));
      await p.open('two');
    },
  },
  {
    name: 'everything is said to those who still listen',
    async play(p) {
      await p.join('b');
      p.tell('a', feed(1, 'feeds.follow'));
      p.tell('b', feed(1, 'feeds.follow'), feed(2, 'feeds.observe'));
      await p.settle();
      await p.emit(tracked('1', 1));
      await p.do('a closes', () => p.client('a').close());
      await p.emit(tracked('2', 2));
      await p.do('b closes', () => p.client('b').close());
      await p.emit(tracked('3', 3));
    },
  },
  {
    name: 'a feed that hangs up after its last words',
    play: (p) => p.say(feed(1, 'feeds.lastWords')),
  },
  {
    name: 'a call that hangs up, between others',
    play: (p) =>
      p.say([query(1, 'hello'), query(2, 'hello'), query(3, 'hangUp'), query(4, 'hello')], query(5, 'hello')),
  },
  {
    name: 'large answers beside feeds',
    async play(p) {
      await p.say(feed(1, 'feeds.follow'), feed(2, 'feeds.observe'));
      await p.do('asks for much', () => {
        p.tell('a', ...Array.from({ length: 8 }, (_, n) => query(n + 10, 'value', { kind: 'large' })));
        for (let n = 0; n < 50; n++) p.stage.source('main').next(tracked(`n${n}`, n));
      });
      await p.emit(tracked('last', 'x'.repeat(70_000)), 1, 2, 3);
    },
  },
  {
    name: 'answers and events on a socket that compresses',
    server: { perMessageDeflate: { threshold: 0 } },
    async play(p) {
      await p.say(query(1, 'hello'), feed(2, 'feeds.follow'), 'PING', query(3, 'echo', 'x'.repeat(5_000)));
      await p.emit(tracked('1', 'y'.repeat(5_000)));
      await p.broadcast();
      await p.say(stop(2));
    },
  },
  {
    name: 'a feed that is asked for as the socket closes',
    async play(p) {
      await p.do('asks and closes', () => {
        p.tell('a', feed(1, 'feeds.follow'), feed(2, 'feeds.setup', { gate: 'two' }), query(3, 'hello'));
        p.client().close();
      });
      await p.open('two');
      await p.emit(1);
    },
  },
  {
    name: 'frames, and a close right after them',
    async play(p) {
      await p.say(feed(1, 'feeds.follow'), feed(2, 'feeds.observe'));
      await p.sayAndClose(
        'PING',
        'nonsense',
        query(3, 'hello'),
        query(null, 'hello'),
        feed(1, 'feeds.count'),
        stop(2),
        feed(4, 'feeds.count'),
      );
    },
  },
  {
    name: 'frames, and a cut right after them',
    async play(p) {
      await p.do('says and cuts', () => {
        p.tell('a', feed(1, 'feeds.follow'), query(2, 'hello'), 'PING', feed(3, 'feeds.count'));
        p.client().terminate();
      });
      await p.emit(1);
    },
  },
  {
    name: 'a server that closes while calls and feeds arrive',
    async play(p) {
      await p.do('server closes', () => {
        p.tell('a', feed(1, 'feeds.follow'), query(2, 'hello'));
        p.served().close(4001, 'going');
        p.tell('a', feed(3, 'feeds.follow'), query(4, 'hello'), 'PING', 'nonsense', [7]);
      });
      await p.emit(1);
    },
  },
];
