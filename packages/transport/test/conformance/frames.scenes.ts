import { WebSocket } from 'ws';
import { feed, query, stop } from './frames.ts';
import type { Scene } from './player.ts';

const WRONG_SHAPES: readonly unknown[] = [
  ...[
    '',
    ' ',
    '{',
    '[',
    'nonsense',
    'null',
    '7',
    '"text"',
    'true',
    '{}',
    '[]',
    '[[]]',
    '[null]',
    '[7,"x",{}]',
    'ping',
    'Ping',
    'pong',
  ],
  ...[
    ' PING',
    'PING\n',
    '"PING"',
    '["PING"]',
    '{"id":1}',
    '{"method":"query"}',
    '{"id":1,"method":"query"}',
    '\u{feff}{}',
  ],
  { id: 1, method: 'query', params: null },
  { id: 1, method: 'query', params: [] },
  { id: 1, method: 'query', params: 'hello' },
  { id: 1, method: 'query', params: {} },
  { id: 1, method: 'query', params: { path: 7 } },
  { id: 1, method: 'query', params: { path: null } },
  { id: 1, method: 'query', params: { path: ['hello'] } },
  { id: 1, method: 'query', params: { path: 'hello', lastEventId: 7 } },
  { id: 1, method: 'query', params: { path: 'hello', lastEventId: null } },
  { method: 'query', params: { path: 'hello' } },
  { id: null, method: 'query', params: { path: 'hello' } },
  { id: null, method: 'subscription', params: { path: 'feeds.count' } },
  { id: null, method: 'subscription.stop' },
  { id: true, method: 'query', params: { path: 'hello' } },
  { id: {}, method: 'query', params: { path: 'hello' } },
  { id: [1], method: 'query', params: { path: 'hello' } },
  { id: '', method: 'query', params: { path: 'hello' } },
  { id: '1', method: 'query', params: { path: 'hello' } },
  { id: 0, method: 'query', params: { path: 'hello' } },
  { id: -1.5, method: 'query', params: { path: 'hello' } },
  '{"id":1e999,"method":"query","params":{"path":"hello"}}',
  { id: 1, method: 'nonsense', params: { path: 'hello' } },
  { id: 1, method: 'QUERY', params: { path: 'hello' } },
  { id: 1, method: 7, params: { path: 'hello' } },
  { id: 1, method: 'constructor', params: { path: 'hello' } },
  { id: 1, method: 'reconnect' },
  { id: 1, method: 'connectionParams', data: { token: 'x' } },
  { method: 'connectionParams', data: { token: 'x' } },
  { id: 1, jsonrpc: '1.0', method: 'query', params: { path: 'hello' } },
  { id: 1, jsonrpc: null, method: 'query', params: { path: 'hello' } },
  { id: 1, jsonrpc: 2, method: 'query', params: { path: 'hello' } },
  { id: 1, jsonrpc: '2.0', method: 'query', params: { path: 'hello' }, extra: true },
  '{"id":1,"method":"query","params":{"path":"hello","__proto__":{"input":1}}}',
  '{"id":1,"id":2,"method":"query","params":{"path":"hello"}}',
  '{"__proto__":{"id":1},"method":"query","params":{"path":"hello"}}',
  { id: 1, result: { type: 'data' } },
];

/** Frames that are right, wrong, or no frames of ours. */
export const FRAME_SCENES: readonly Scene[] = [
  {
    name: 'frames of wrong shapes',
    async play(p) {
      for (const frame of WRONG_SHAPES) await p.say(frame);
      await p.say(query(99, 'hello'));
    },
  },
  {
    name: 'frames of wrong shapes in a burst, with stacks',
    router: 'dev',
    async play(p) {
      await p.say(...WRONG_SHAPES.filter((frame) => typeof frame === 'string'));
      for (const frame of WRONG_SHAPES) await p.say([query(98, 'hello'), frame]);
    },
  },
  {
    name: 'frames of wrong shapes, formatted, and before the context is there',
    router: 'formatted',
    async context(_asked, stage) {
      await stage.gate('context');
      return { user: 'late' };
    },
    async play(p) {
      await p.say(...WRONG_SHAPES);
      await p.open('context');
      await p.say(...WRONG_SHAPES);
    },
  },
  {
    name: 'answers that name the version of the protocol',
    async play(p) {
      const jsonrpc = { jsonrpc: '2.0' };
      await p.say({ ...query(1, 'hello'), ...jsonrpc }, { ...query(2, 'nobody'), ...jsonrpc });
      await p.say({ ...feed(3, 'feeds.count'), ...jsonrpc }, { ...feed(3, 'feeds.count'), ...jsonrpc });
      await p.say(
        { ...feed(4, 'feeds.failLater', { kind: 'trpc' }), ...jsonrpc },
        { ...query(null, 'hello'), ...jsonrpc },
      );
      await p.say({ ...query(5, 'value', { kind: 'bigint' }), ...jsonrpc }, { ...stop(3), ...jsonrpc });
    },
  },
  {
    name: 'the client’s pings',
    async play(p) {
      await p.say('PING');
      await p.say('PING', 'PING', 'PONG', query(1, 'hello'), 'PING');
      await p.say(feed(2, 'feeds.follow'), 'PING', stop(2), 'PING');
      await p.say(query(3, 'wait', { gate: 'three' }), 'PING');
      await p.open('three');
    },
  },
  {
    name: 'the client’s pings, where they are not answered',
    options: { dangerouslyDisablePong: true },
    play: (p) => p.say('PING', query(1, 'hello'), 'PONG', 'PING'),
  },
  {
    name: 'pings before there is a context',
    path: '/?connectionParams=1',
    async play(p) {
      await p.say('PING', 'PONG');
      await p.say({ method: 'connectionParams', data: { a: 'b' } }, 'PING');
    },
  },
  {
    name: 'bytes',
    async play(p) {
      for (const text of ['PING', 'PONG', JSON.stringify(query(1, 'hello')), '[]', '', '\u0000'])
        await p.say(Buffer.from(text));
      await p.say(Buffer.from([0xff, 0xfe]), query(2, 'hello'));
    },
  },
  ...(['arraybuffer', 'fragments', 'nodebuffer'] as const).map(
    (binaryType): Scene => ({
      name: `bytes that arrive as ${binaryType}`,
      prepare(socket) {
        socket.binaryType = binaryType;
      },
      async play(p) {
        await p.say(Buffer.from(JSON.stringify(query(1, 'hello'))), Buffer.from('PING'));
        await p.say('PING', query(2, 'hello'));
      },
    }),
  ),
  {
    name: 'a frame that is larger than the server takes',
    server: { maxPayload: 1_000 },
    async play(p) {
      await p.say(feed(1, 'feeds.follow'), query(2, 'echo', 'x'.repeat(500)));
      await p.say(query(3, 'echo', 'x'.repeat(2_000)), query(4, 'hello'));
    },
  },
  {
    name: 'text that is no UTF-8',
    play: (p) => p.do('sends it', () => p.client().send(Buffer.from([0xff, 0xff]), { binary: false })),
  },
  {
    name: 'frames in pieces, control frames in between',
    async play(p) {
      await p.do('sends them', () => {
        const text = JSON.stringify(query(1, 'hello'));
        p.client().send(text.slice(0, 9), { fin: false });
        p.client().ping('hello');
        p.client().send(text.slice(9), { fin: true });
      });
      await p.do('pongs', () => p.client().pong('unasked'));
    },
  },
  {
    name: 'errors of the socket',
    async play(p) {
      await p.say(feed(1, 'feeds.follow'));
      await p.do('fails', () => p.served().emit('error', new Error('socket error')));
      await p.do('fails', () => p.served().emit('error', 'no error at all'));
      await p.say(query(2, 'hello'));
    },
  },
  {
    name: 'an error of the socket before there is a context',
    path: '/?connectionParams=1',
    play: (p) => p.do('fails', () => p.served().emit('error', new Error('socket error'))),
  },
  ...[4000, 1000, 3000].map(
    (code): Scene => ({
      name: `a client that closes with ${code}`,
      async play(p) {
        await p.say(feed(1, 'feeds.follow'));
        await p.do('closes', () => p.client().close(code, 'because'));
      },
    }),
  ),
  {
    name: 'the request to come anew',
    path: '/one',
    async play(p) {
      await p.broadcast();
      await p.join('b', '/two');
      await p.broadcast();
      await p.do('b closes', () => p.client('b').close());
      await p.broadcast();
      await p.do('a is closing', () => {
        p.client('a').close();
      });
      await p.broadcast();
    },
  },
  {
    name: 'the request to come anew, to a socket that is closing, opening or refused',
    path: '/?connectionParams=1',
    async play(p) {
      await p.broadcast();
      await p.do('closing', () => p.served().close());
      await p.broadcast();
      await p.join('b');
      await p.do('at once', () => {
        p.served(1).close();
      });
    },
  },
  ...['/', '/trpc', '/tr', '/trpcs?x=1', '/other'].map(
    (path): Scene => ({
      name: `a prefix, and ${path}`,
      path,
      options: { prefix: '/trpc' },
      async play(p) {
        await p.say(query(1, 'hello'), 'PING', 'nonsense');
        await p.broadcast();
        await p.join('b', '/trpc/deep');
        p.tell('b', query(1, 'hello'));
        await p.settle();
      },
    }),
  ),
  {
    name: 'an empty prefix',
    path: '/any',
    options: { prefix: '' },
    play: (p) => p.say(query(1, 'hello')),
  },
  {
    name: 'a client that is there for no call at all',
    play: (p) => p.do('looks', () => p.client().readyState === WebSocket.OPEN),
  },
];
