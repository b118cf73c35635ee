import { TRPCError } from '@trpc/server';
import { feed, mutation, query, stop } from './frames.ts';
import type { Player, Scene } from './player.ts';
import { throwAs } from './procedure-parts.ts';
import type { Variant } from './router.ts';

const PARAMS_PATH = '/?connectionParams=1';
const params = (data: unknown) => ({ method: 'connectionParams', data });

/** First frames of a connection that has promised to say who it is. */
const FIRST_FRAMES: Record<string, unknown> = {
  'as they should be': params({ token: 'x', other: '' }),
  null: params(null),
  none: params(undefined),
  empty: params({}),
  'a number in them': params({ token: 7, other: 'x', flag: true, nothing: null }),
  'a list': params(['x']),
  'a text': params('x'),
  'a number': params(0),
  'without a method': { data: { token: 'x' } },
  'of another method': { id: 1, method: 'query', params: { path: 'hello' }, data: { token: 'x' } },
  'a call in their place': query(1, 'hello'),
  'a batch in their place': [query(1, 'hello')],
  'no JSON': '{"data":',
  'a bare text': '"x"',
  'a bare null': 'null',
  nothing: '',
  bytes: Buffer.from(JSON.stringify(params({ token: 'x' }))),
};

async function callsBeforeAndAfter(p: Player): Promise<void> {
  await p.say(query(1, 'hello'), feed(2, 'feeds.follow'), [mutation(3, 'put'), query(null, 'hello')], 'PING', stop(9));
  await p.open('context');
  await p.say(query(4, 'context'), feed(5, 'feeds.count'));
}

const failing: Record<string, NonNullable<Exclude<Scene['context'], 'absent'>>> = {
  'at once': () => throwAs('trpc'),
  'at once, with an error': () => throwAs('error'),
  'at once, with a text': () => throwAs('string'),
  'after a turn': async () => throwAs('trpc'),
  'with nothing': async () => throwAs('undefined'),
  'after the calls': async (_asked, stage) => {
    await stage.gate('context');
    throw new TRPCError({ code: 'UNAUTHORIZED', message: 'who are you' });
  },
  'in a way that cannot be formatted': async () => throwAs('unformattable'),
  'in a way that cannot be encoded': async () => throwAs('unencodable'),
};

const VARIANTS: readonly Variant[] = ['plain', 'dev', 'transformed', 'formatted'];

/** Contexts: when they are made, of what, and what happens when they are not. */
export const CONTEXT_SCENES: readonly Scene[] = [
  {
    name: 'what a context is made of',
    path: '/path?a=b',
    play: (p) => p.say(query(1, 'context'), query(2, 'whoAmI')),
  },
  {
    name: 'no context at all',
    context: 'absent',
    play: (p) => p.say(query(1, 'context'), query(2, 'whoAmI'), query(3, 'nobody')),
  },
  {
    name: 'no context at all, and params',
    context: 'absent',
    path: PARAMS_PATH,
    play: (p) => p.say(params({ a: 'b' }), query(1, 'context')),
  },
  {
    name: 'a context that takes its time',
    async context(_asked, stage) {
      await stage.gate('context');
      return { user: 'late' };
    },
    play: callsBeforeAndAfter,
  },
  ...[false, true].map(
    (again): Scene => ({
      name: `a context that takes its time, a feed that is stopped meanwhile${again ? ' and asked for anew' : ''}`,
      async context(_asked, stage) {
        await stage.gate('context');
        return {};
      },
      async play(p) {
        await p.say(feed(1, 'feeds.follow'), stop(1), feed(2, 'feeds.follow'));
        if (again) await p.say(feed(1, 'feeds.observe'));
        await p.open('context');
        await p.emit(1);
        await p.say(feed(1, 'feeds.count'));
      },
    }),
  ),
  ...['closes', 'is cut', 'is closed'].map(
    (how): Scene => ({
      name: `a context that takes its time, a client that ${how} meanwhile`,
      async context(_asked, stage) {
        await stage.gate('context');
        return {};
      },
      async play(p) {
        await p.say(feed(1, 'feeds.follow'), query(2, 'hello'), feed(3, 'nobody'));
        await p.do(how, () => {
          if (how === 'closes') p.client().close();
          else if (how === 'is cut') p.client().terminate();
          else p.served().close(4001, 'you');
        });
        await p.open('context');
      },
    }),
  ),
  ...VARIANTS.flatMap((router) =>
    Object.entries(failing).flatMap(([how, context]) => [
      {
        name: `a context that fails ${how}, ${router}`,
        router,
        context,
        play: callsBeforeAndAfter,
      },
      {
        name: `a context that fails ${how} after the params, ${router}`,
        router,
        context,
        path: PARAMS_PATH,
        async play(p: Player) {
          await p.say(params({ token: 'x' }), query(1, 'hello'), feed(2, 'feeds.count'), 'PING', 'nonsense');
          await p.open('context');
          await p.say(query(3, 'hello'));
        },
      },
    ]),
  ),
  ...Object.entries(FIRST_FRAMES).map(
    ([what, frame]): Scene => ({
      name: `params that are ${what}`,
      path: PARAMS_PATH,
      async play(p) {
        await p.say(frame, query(2, 'hello'));
        await p.say(query(3, 'context'), frame);
      },
    }),
  ),
  {
    name: 'params late, and twice',
    path: PARAMS_PATH,
    async play(p) {
      await p.broadcast();
      await p.say(params({ a: 'b' }));
      await p.say(params({ a: 'c' }), { id: 1, ...params({ a: 'd' }) });
      await p.say(query(1, 'hello'));
    },
  },
  ...[
    '/?connectionParams=0',
    '/?connectionParams',
    '/?connectionParams=1&connectionParams=0',
    '/?x=1&connectionParams=1',
  ].map(
    (path): Scene => ({
      name: `params and ${path}`,
      path,
      play: (p) => p.say(params({ token: 'x' }), query(1, 'hello')),
    }),
  ),
  {
    name: 'params that never come',
    path: PARAMS_PATH,
    play: (p) => p.do('closes', () => p.client().close()),
  },
  ...[() => throwAs('error'), async () => throwAs('error'), () => new Promise(() => undefined)].map(
    (onError, at): Scene => ({
      name: `an onError that fails, way ${at}`,
      router: 'formatted',
      onError,
      play: failures,
    }),
  ),
  ...VARIANTS.map((router): Scene => ({ name: `no onError, ${router}`, router, onError: 'absent', play: failures })),
];

async function failures(p: Player): Promise<void> {
  await p.say(
    query(1, 'nobody'),
    query(2, 'fail', { kind: 'unformattable' }),
    query(3, 'fail', { kind: 'unencodable' }),
  );
  await p.say(query(4, 'value', { kind: 'bigint' }), feed(5, 'feeds.failLater', { kind: 'unencodable' }));
  await p.say(feed(6, 'feeds.strange', { feed: 'throws in finally when stopped' }));
  await p.say(stop(6), 'nonsense', query(null, 'hello'));
  await p.say(feed(7, 'feeds.strange', { feed: 'rejects when stopped' }));
  await p.say(stop(7));
  await p.do('the socket fails', () => p.served().emit('error', new Error('socket error')));
}
