import { retryLink, splitLink, wsLink } from '@trpc/client';
import { tracked } from '@trpc/server';
import type { Backstage } from './backstage.ts';
import { bytes } from './encoders.ts';
import type { Player, Scene } from './player.ts';
import { countingLink, StockUser } from './stock-user.ts';

interface ClientScene extends Scene {
  readonly path: 'none';
}

type Play = (p: Player, user: StockUser) => Promise<void>;
type Given = Omit<Scene, 'name' | 'play' | 'path'> & { readonly user?: ConstructorParameters<typeof StockUser>[2] };

/** A scene of one user with the stock client. */
function scene(name: string, play: Play, { user = {}, ...given }: Given = {}): ClientScene {
  return {
    ...given,
    name,
    path: 'none',
    async play(p) {
      const ann = new StockUser(p, 'ann', user);
      await p.settle();
      await play(p, ann);
    },
  };
}

/** What happens to a socket, and what the client makes of it. */
const CUTS: Record<string, (p: Player) => unknown> = {
  'a cut': (p) => p.served().terminate(),
  'a close with 1012': (p) => p.served().close(1012, 'restart'),
  'a close with 4000': (p) => p.served().close(4000, 'go away'),
  'a close without a code': (p) => p.served().close(),
  'a protocol error': (p) => p.served().close(1002),
};

const cuts = Object.entries(CUTS).map(([what, cut]) =>
  scene(`feeds that go on after ${what}`, async (p, ann) => {
    await p.do('follows', () => {
      ann.follow('resumed', 'feeds.resume', { input: {} });
      ann.follow('given', 'feeds.resume', { input: { lastEventId: '5', other: true } });
      ann.follow('untracked', 'feeds.follow');
      ann.follow('observed', 'feeds.observe');
      ann.follow('pushed', 'feeds.pushed');
      ann.follow('ended', 'feeds.count');
      void ann.query('wait', { gate: 'one' });
    });
    await p.emit(tracked('20', 20));
    await p.do(what, () => cut(p));
    await p.open('one');
    await p.emit(tracked('21', 21));
    await p.do('once more', () => p.served(1).terminate());
    await p.do('leaves', () => ann.leave('resumed'));
    await p.do('completes', () => p.stage.source('main').complete());
  }),
);

/** Stories of the stock client. */
export const CLIENT_SCENES: readonly ClientScene[] = [
  scene('calls', async (p, ann) => {
    await ann.query('hello');
    await ann.query('echo', { a: [1, null, '🙂'] });
    await ann.mutation('put', { a: 1 });
    await ann.query('value', { kind: 'undefined' });
    await ann.query('value', { kind: 'large' });
    for (const kind of ['trpc', 'error', 'string', 'undefined']) await ann.query('fail', { kind });
    await ann.query('nobody');
    await ann.mutation('hello');
    await ann.query('shout', 7);
    await p.settle();
  }),
  scene('calls of one turn, in one batch', async (p, ann) => {
    await Promise.all([ann.query('hello'), ann.mutation('put', {}), ann.query('nobody'), ann.query('whoAmI')]);
    await p.settle();
  }),
  scene(
    'a batch that is too large',
    async (p, ann) => {
      await Promise.all([ann.query('hello'), ann.mutation('put', {}), ann.query('echo')]);
      await p.do('follows', () => {
        for (const name of ['one', 'two', 'three']) ann.follow(name, 'feeds.count');
      });
    },
    { options: { maxBatchSize: 2 } },
  ),
  scene('feeds to their ends', async (p, ann) => {
    const feeds = ['count', 'atOnce', 'values', 'checked', 'notOne', 'signed', 'lastWords', 'nobody'];
    for (const name of feeds) await p.do(name, () => ann.follow(name, `feeds.${name}`));
    for (const kind of ['trpc', 'error', 'abort']) {
      await p.do(kind, () => ann.follow(`first ${kind}`, 'feeds.failFirst', { input: { kind } }));
      await p.do(kind, () => ann.follow(`later ${kind}`, 'feeds.failLater', { input: { kind } }));
      await p.do(kind, () => ann.follow(`setup ${kind}`, 'feeds.failSetup', { input: { kind } }));
    }
  }),
  scene('feeds that are left', async (p, ann) => {
    const leaving = new AbortController();
    await p.do('follows', () => {
      ann.follow('one', 'feeds.follow');
      ann.follow('two', 'feeds.observe');
      ann.follow('three', 'feeds.pushed');
      ann.follow('four', 'feeds.never', { signal: leaving.signal });
      ann.follow('five', 'feeds.setup', { input: { gate: 'five' } });
    });
    await p.emit(tracked('1', 1));
    await p.do('leaves', () => ann.leave('one'));
    await p.emit(tracked('2', 2));
    await p.do('leaves', () => ann.leave('three'));
    await p.do('aborts', () => leaving.abort());
    await p.do('leaves', () => ann.leave('five'));
    await p.open('five');
    await p.do('follows and leaves', () => {
      ann.follow('six', 'feeds.follow');
      ann.leave('six');
    });
    await p.do('follows anew', () => ann.follow('one again', 'feeds.follow'));
    await p.emit(tracked('3', 3));
    await p.do('closes', () => ann.socket.close());
  }),
  scene('a call that is given up', async (p, ann) => {
    const giving = new AbortController();
    await p.do('asks', () => ann.query('wait', { gate: 'one' }, giving.signal));
    await p.do('gives up', () => giving.abort());
    await p.open('one');
    await ann.query('hello');
  }),
  ...cuts,
  scene('the request to come anew', async (p, ann) => {
    await p.do('follows', () => {
      ann.follow('resumed', 'feeds.resume', { input: {} });
      ann.follow('untracked', 'feeds.follow');
      ann.follow('pushed', 'feeds.pushed');
      void ann.query('wait', { gate: 'one' });
    });
    await p.emit(tracked('20', 20));
    await p.broadcast();
    await p.emit(tracked('21', 21));
    await p.open('one');
    await ann.query('hello');
    await p.broadcast();
    await p.emit(tracked('22', 22));
    await p.do('leaves', () => ann.leave('resumed'));
    await p.broadcast();
  }),
  scene('the request to come anew, to somebody who does nothing', async (p, ann) => {
    await p.broadcast();
    await p.broadcast();
    await ann.query('hello');
  }),
  scene(
    'the request to come anew, in the middle of events',
    async (p, ann) => {
      await p.do('follows', () => ann.follow('resumed', 'feeds.resume', { input: {} }));
      for (let n = 20; n < 30; n++) p.stage.source('main').next(tracked(String(n), n));
      await p.broadcast();
      await p.emit(tracked('30', 30));
    },
    { user: { path: '/?x=1' } },
  ),
  scene(
    'a lazy client',
    async (p, ann) => {
      await ann.query('hello');
      await p.until('closed', () => p.clients === 0);
      await p.do('follows', () => ann.follow('one', 'feeds.follow'));
      await p.emit(1);
      await p.do('leaves', () => ann.leave('one'));
      await p.until('closed', () => p.clients === 0);
      await ann.query('hello');
    },
    { user: { lazy: { enabled: true, closeMs: 30 } } },
  ),
  ...[{ token: 'x' }, () => ({ token: 'y' }), async () => ({ token: 'z' }), () => null].map((connectionParams, at) =>
    scene(
      `a client that says who it is, way ${at}`,
      async (p, ann) => {
        await ann.query('hello');
        await p.do('follows', () => ann.follow('one', 'feeds.resume', { input: {} }));
        await p.do('cut', () => p.served().terminate());
        await p.broadcast();
        await ann.query('hello');
      },
      { user: { connectionParams } },
    ),
  ),
  refusedTwice('at once', false),
  refusedTwice('after its params', true),
  scene(
    'a client that tries again',
    async (p, ann) => {
      await ann.query('fail', { kind: 'trpc' });
      await ann.query('fail', { kind: 'error' });
      await p.do('follows', () => ann.follow('one', 'feeds.failLater', { input: { kind: 'error' } }));
      await p.do('follows', () => ann.follow('two', 'feeds.failFirst', { input: { kind: 'trpc' } }));
    },
    {
      user: {
        links: [retryLink({ retry: ({ attempts, error }) => error.data?.code !== 'FORBIDDEN' && attempts < 3 })],
      },
    },
  ),
  {
    name: 'two sockets behind one client, and others beside it',
    path: 'none',
    async play(p) {
      const feeds = new StockUser(p, 'feeds');
      const calls = new StockUser(p, 'calls');
      const link = splitLink({
        condition: ({ type }) => type === 'subscription',
        true: wsLink({ client: feeds.socket }),
        false: wsLink({ client: calls.socket }),
      });
      const ann = new StockUser(p, 'ann', { links: [countingLink(p), link] });
      const bob = new StockUser(p, 'bob');
      await p.settle();
      await p.do('follow', () => {
        ann.follow('one', 'feeds.follow');
        bob.follow('one', 'feeds.follow');
      });
      await Promise.all([ann.query('hello'), bob.mutation('put', {})]);
      await p.emit(1);
      await p.do('closes', () => feeds.socket.close());
      await p.emit(2);
    },
  },
  scene(
    'a client that watches its server',
    async (p, ann) => {
      await p.do('follows', () => ann.follow('one', 'feeds.follow'));
      await p.until('asks thrice', () => p.pings >= 3);
      await p.emit(1);
    },
    { user: { keepAlive: { enabled: true, intervalMs: 15, pongTimeoutMs: 5_000 } } },
  ),
  scene(
    'a server that watches its client',
    async (p, ann) => {
      await p.do('follows', () => ann.follow('one', 'feeds.follow'));
      await p.until('answers thrice', () => p.pongs >= 3);
      await p.emit(1);
    },
    { options: { keepAlive: { enabled: true, pingMs: 30, pongWaitMs: 5_000 } } },
  ),
  scene(
    'a client whose server never answers',
    async (p, ann) => {
      ann.follow('one', 'feeds.resume', { input: {} });
      await p.until('comes again', () => p.cameBy >= 2);
      await p.do('closes', () => ann.socket.close());
    },
    {
      options: { dangerouslyDisablePong: true },
      user: { keepAlive: { enabled: true, intervalMs: 1_000, pongTimeoutMs: 100 } },
    },
  ),
  scene(
    'words of the transformer',
    async (p, ann) => {
      await ann.query('echo', { at: new Date(0), n: 7n, gone: undefined });
      for (const kind of ['date', 'bigint', 'undefined', 'optional']) await ann.query('value', { kind });
      await p.do('follows', () => ann.follow('values', 'feeds.values'));
      await p.do('follows', () => ann.follow('pushed', 'feeds.pushed'));
      await p.emit(tracked('1', new Date(0)), tracked('2', 7n), tracked('3', undefined));
      await ann.query('fail', { kind: 'trpc' });
    },
    { router: 'transformed', user: { transformed: true } },
  ),
  scene(
    'bytes',
    async (p, ann) => {
      await Promise.all([ann.query('hello'), ann.query('nobody')]);
      await p.do('follows', () => ann.follow('one', 'feeds.resume', { input: {} }));
      await p.do('follows', () => ann.follow('pushed', 'feeds.pushed'));
      await p.emit(tracked('20', 20));
      await p.broadcast();
      await p.do('cut', () => p.served(1).terminate());
      await p.emit(tracked('21', 21));
    },
    { options: { experimental_encoder: bytes }, user: { experimental_encoder: bytes, connectionParams: { a: 'b' } } },
  ),
  scene('a client that closes with all in flight', async (p, ann) => {
    await p.do('follows', () => {
      ann.follow('one', 'feeds.follow');
      void ann.query('wait', { gate: 'one' });
    });
    await p.do('closes', () => ann.socket.close());
    await p.open('one');
    await p.do('asks again', () => ann.query('hello'));
  }),
];

/** Refused twice, let in then. */
function refusedTwice(when: string, params: boolean): ClientScene {
  const refused = new WeakMap<Backstage, number>();
  return scene(
    `a client that is refused twice ${when}`,
    async (p, ann) => {
      await ann.query('hello');
      await p.until('comes for the third time', () => p.cameBy === 3);
      await p.do('follows', () => ann.follow('one', 'feeds.resume', { input: {} }));
      await ann.query('hello');
    },
    {
      user: params ? { connectionParams: { token: 'x' } } : {},
      async context(_asked, stage) {
        const times = refused.get(stage) ?? 0;
        refused.set(stage, times + 1);
        if (times < 2) throw new Error('not yet');
        return {};
      },
    },
  );
}
