import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog, createMetrics } from '@parley/runtime';
import { initTRPC, TRPCError, tracked } from '@trpc/server';
import { WebSocket } from 'ws';
import {
  type Connection,
  createHttpDoor,
  createPublicServer,
  createSocketDoor,
  type FeedSink,
  type HttpDoor,
  PUSH,
  Publication,
  type PushFeed,
  type SocketDoor,
  type SocketDoorOptions,
} from '../src/index.ts';

/** A context of the tests' router. */
export interface Context {
  readonly connection: Connection | undefined;
}

const t = initTRPC.context<Context>().create({
  errorFormatter: ({ shape, error }) => ({
    ...shape,
    message: error.code === 'INTERNAL_SERVER_ERROR' ? 'internal error' : shape.message,
    data: { code: error.code, httpStatus: shape.data.httpStatus, reason: error.code },
  }),
});

const PADDING = 'x'.repeat(20_000);

class PushedFlood implements PushFeed {
  #n = 0;

  async *[Symbol.asyncIterator]() {
    yield tracked('0-0', null);
  }

  [PUSH](sink: FeedSink): Disposable {
    let left = false;
    const more = () => {
      while (!left && sink.hasRoom) sink.push(new Publication(`1-${++this.#n}`, { n: this.#n, PADDING }));
      if (!left) sink.whenRoom(more);
    };
    more();
    return {
      [Symbol.dispose]: () => {
        left = true;
      },
    };
  }
}

export const router = t.router({
  ping: t.procedure.query(() => 'pong'),
  fail: t.procedure.query(() => {
    throw new Error('host=10.0.0.5 password=hunter2');
  }),
  big: t.procedure.query(() => PADDING.repeat(5)),
  whoAmI: t.procedure.query(({ ctx }) => ctx.connection?.identity?.user ?? 'nobody'),
  /** As many events as the reader takes, each of 20 KB: the kernel swallows megabytes before a stalled reader is felt. */
  flood: t.procedure.subscription(async function* ({ ctx, signal }) {
    if (!ctx.connection?.holdFeed()) throw new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'too many feeds' });
    try {
      for (let n = 1; !signal?.aborted; n++) {
        yield tracked(`1-${n}`, { n, PADDING });
        if (n % 5 === 0) await sleep(1);
      }
    } finally {
      ctx.connection.releaseFeed();
    }
  }),
  /** The same, pushed: as long as there is room, and on when there is again. */
  pushed: t.procedure.subscription(() => new PushedFlood() as AsyncIterable<ReturnType<typeof tracked<{ n: number }>>>),
  /** The same for streams, which need not be counted. */
  stream: t.procedure.subscription(async function* ({ signal }) {
    for (let n = 1; !signal?.aborted; n++) {
      yield tracked(`1-${n}`, { n, PADDING });
      if (n % 5 === 0) await sleep(1);
    }
  }),
  /** One event, then nothing. */
  quiet: t.procedure.subscription(async function* ({ ctx, signal }) {
    if (!ctx.connection?.holdFeed()) throw new TRPCError({ code: 'TOO_MANY_REQUESTS', message: 'too many feeds' });
    try {
      yield tracked('1-1', 'hello');
      await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
    } finally {
      ctx.connection.releaseFeed();
    }
  }),
});
export type Router = typeof router;

type HttpDoorOptions = Parameters<typeof createHttpDoor<Router>>[0];

export const CODES = { unidentified: 4004, slow: 4008, refused: 4501, expired: 4003 };

export interface OpenDoor {
  readonly server: Server;
  readonly door: SocketDoor;
  readonly http: HttpDoor;
  readonly port: number;
  readonly url: string;
  readonly metrics: () => Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A door on a free port. Any token but `bad`, `expired` and `leak` is a user of that name; `hang` never gets a context. */
export async function openDoor(
  options: Partial<SocketDoorOptions<Router>> & { http?: Partial<HttpDoorOptions> } = {},
): Promise<OpenDoor> {
  const metrics = createMetrics();
  const log = createLog({ name: 'test', level: 'silent' });
  const http = createHttpDoor({
    router,
    path: '/trpc',
    maxBodyBytes: 10_000,
    maxBatchSize: 5,
    log,
    metrics,
    createContext: () => ({ connection: undefined }),
    ...options.http,
  });
  const server = createPublicServer((req, res) => {
    if (!http.answer(req, res)) res.writeHead(404).end();
  });
  const door = createSocketDoor({
    server,
    router,
    path: '/trpc',
    log,
    metrics,
    unidentified: { code: CODES.unidentified, reason: 'too late' },
    slowCode: CODES.slow,
    refused: (error) =>
      error instanceof TRPCError && error.message === 'expired'
        ? { code: CODES.expired, reason: 'token expired' }
        : { code: CODES.refused, reason: 'unauthenticated' },
    async createContext({ connection, connectionParams }) {
      const token = connectionParams?.token ?? 'anybody';
      if (token === 'hang') await new Promise(() => undefined);
      if (token === 'slow') await sleep(300);
      if (token === 'leak') throw new Error('password=hunter2');
      if (token === 'bad' || token === 'expired') throw new TRPCError({ code: 'UNAUTHORIZED', message: token });
      connection.setIdentity({ user: token });
      return { connection };
    },
    ...options,
  });
  await door.run();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    door,
    http,
    port,
    url: `ws://127.0.0.1:${port}/trpc`,
    metrics: () => metrics.text(),
    async [Symbol.asyncDispose]() {
      await door.drain({ windowMs: 0, lingerMs: 0 });
      server.closeAllConnections();
    },
  };
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A socket with what it heard. */
export interface Peer {
  readonly ws: WebSocket;
  readonly heard: string[];
  readonly closed: Promise<Closed>;
  next(): Promise<string>;
}

export async function joinDoor(url: string, options: { origin?: string } = {}): Promise<Peer> {
  const ws = new WebSocket(url, options);
  const heard: string[] = [];
  const closed = new Promise<Closed>((done) =>
    ws.on('close', (code, reason) => done({ code, reason: String(reason) })),
  );
  ws.on('message', (data) => heard.push(String(data)));
  await new Promise((done, fail) => ws.once('open', done).once('error', fail));
  ws.on('error', () => undefined);
  let taken = 0;
  return {
    ws,
    heard,
    closed,
    async next() {
      while (heard.length <= taken) await sleep(2);
      return heard[taken++] ?? '';
    },
  };
}

export const query = (id: number, path: string) => ({ id, method: 'query', params: { path } });

/** Sends raw lines to a port and gives what comes back until the other side closes, or `open` when it does not within the time. */
export function rawRequest(port: number, lines: readonly string[], withinMs = 3_000): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write([...lines, '', ''].join('\r\n')));
    const timer = setTimeout(() => {
      resolve(`open ${answer}`);
      socket.destroy();
    }, withinMs);
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

/** The lines of an upgrade request. */
export function upgradeLines(path: string, host: string | undefined, extra: readonly string[] = []): string[] {
  return [
    `GET ${path} HTTP/1.1`,
    ...(host === undefined ? [] : [`Host: ${host}`]),
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    ...extra,
  ];
}
