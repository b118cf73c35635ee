import { bytes, marking } from './encoders.ts';
import { after, feed, mutation, query, stop } from './frames.ts';
import type { Scene } from './player.ts';
import type { Variant } from './router.ts';

const inBytes = (frame: unknown) => Buffer.from(JSON.stringify(frame));

const VARIANTS: readonly Variant[] = ['plain', 'dev', 'transformed', 'formatted'];

/** Options of the adapter, and its timers. */
export const OPTION_SCENES: readonly Scene[] = [
  ...VARIANTS.map(
    (router): Scene => ({
      name: `an encoder of bytes, ${router}`,
      router,
      options: { experimental_encoder: bytes },
      async play(p) {
        await p.say(inBytes(query(1, 'hello')), inBytes([query(2, 'hello'), mutation(3, 'put', { a: 1 })]));
        await p.say(inBytes(feed(4, 'feeds.count')), inBytes(feed(5, 'feeds.values')));
        await p.say('PING', 'PONG', Buffer.from('PING'), query(6, 'hello'), inBytes('x'), inBytes(null));
        await p.broadcast();
      },
    }),
  ),
  {
    name: 'an encoder of bytes, and params',
    path: '/?connectionParams=1',
    options: { experimental_encoder: bytes },
    async play(p) {
      await p.say('PING', inBytes({ method: 'connectionParams', data: { token: 'x' } }));
      await p.say(inBytes(query(1, 'hello')));
    },
  },
  {
    name: 'an encoder of bytes, and params in text',
    path: '/?connectionParams=1',
    options: { experimental_encoder: bytes },
    play: (p) => p.say({ method: 'connectionParams', data: { token: 'x' } }, inBytes(query(1, 'hello'))),
  },
  ...VARIANTS.map(
    (router): Scene => ({
      name: `an encoder that fails, ${router}`,
      router,
      options: { experimental_encoder: marking, maxBatchSize: 3 },
      async play(p) {
        await p.say(query(1, 'hullo'), query(2, 'undecodable'), [query(3, 'hullo'), query('unencodable', 'hello')]);
        await p.say(
          query(4, 'echo', 'unencodable'),
          query('unencodable', 'hello'),
          mutation(5, 'put', { a: 'unencodable' }),
        );
        await p.say(after('unencodable', feed(6, 'feeds.resume')), feed('unencodable', 'feeds.count'));
        await p.say(feed(7, 'feeds.bare', 'unencodable'), query(8, 'unencodable'), feed(9, 'feeds.follow'), stop(9));
        await p.say([query(1, 'hello'), query('unencodable', 'hello'), query(3, 'hello'), query(4, 'hello')]);
        await p.say(query(null, 'unencodable'));
        await p.broadcast();
      },
    }),
  ),
  {
    name: 'a context that fails, and an encoder that fails with it',
    options: { experimental_encoder: marking },
    async context() {
      throw new Error('unencodable');
    },
    play: (p) => p.say(query(1, 'hello')),
  },
];

const keepAlive = { enabled: true, pingMs: 1_000, pongWaitMs: 300 };

/** Scenes that are played with the clock in the hand. A ping may come a little late, by no more than a tenth of the shorter time. */
export const CLOCK_SCENES: readonly Scene[] = [
  {
    name: 'a client that answers the pings',
    options: { keepAlive },
    async play(p) {
      for (let n = 0; n < 3; n++) {
        await p.pass(999);
        await p.pass(31);
        await p.pass(260);
        await p.say('PONG');
      }
      await p.pass(300);
      await p.say(query(1, 'hello'));
    },
  },
  {
    name: 'a client that answers no ping',
    options: { keepAlive },
    async play(p) {
      await p.say(feed(1, 'feeds.follow'));
      await p.pass(1_030);
      await p.pass(265);
      await p.emit(1);
      await p.pass(70);
      await p.pass(10_000);
    },
  },
  {
    name: 'a client that says other things',
    options: { keepAlive },
    async play(p) {
      const frames = [
        'PING',
        query(1, 'hello'),
        'nonsense',
        Buffer.from('x'),
        '',
        [],
        query(2, 'wait', { gate: 'two' }),
        stop(7),
      ];
      for (const frame of frames) {
        await p.pass(900);
        await p.say(frame);
      }
      await p.pass(999);
      await p.pass(31);
      await p.say(query(3, 'hello'));
      await p.pass(999);
      await p.pass(31);
      await p.do('a ping of the socket', () => p.client().ping());
      await p.pass(330);
    },
  },
  {
    name: 'what the server says keeps nobody alive',
    options: { keepAlive },
    async play(p) {
      await p.say(feed(1, 'feeds.follow'));
      for (let n = 0; n < 4; n++) {
        await p.pass(400);
        await p.emit(n);
      }
    },
  },
  {
    name: 'pings by default, after 30 s, for 5 s',
    options: { keepAlive: { enabled: true } },
    async play(p) {
      await p.pass(29_999);
      await p.pass(501);
      await p.say('PONG');
      await p.pass(30_500);
      await p.pass(4_499);
      await p.pass(1_001);
    },
  },
  ...[{ enabled: false }, { enabled: false, pingMs: 10 }].map(
    (off, at): Scene => ({
      name: `no pings, way ${at}`,
      options: { keepAlive: off },
      async play(p) {
        await p.pass(100_000);
        await p.say(query(1, 'hello'));
      },
    }),
  ),
  {
    name: 'pings before there is a context, and to several',
    path: '/?connectionParams=1',
    options: { keepAlive },
    async play(p) {
      await p.pass(500);
      await p.join('b');
      await p.pass(530);
      await p.say('PONG');
      await p.pass(500);
      await p.pass(330);
      await p.say({ method: 'connectionParams', data: { a: 'b' } }, query(1, 'hello'));
      await p.pass(1_030);
    },
  },
  {
    name: 'pings after the end',
    options: { keepAlive },
    async play(p) {
      await p.pass(1_030);
      await p.do('closes', () => p.client().close());
      await p.pass(10_000);
    },
  },
  {
    name: 'pings where a prefix keeps the adapter out',
    path: '/other',
    options: { keepAlive, prefix: '/trpc' },
    play: (p) => p.pass(10_000),
  },
];
