import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { tracked } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Adapter, OURS, STOCK } from './adapters.ts';
import { Backstage } from './backstage.ts';
import { feed, query, stop } from './frames.ts';
import { PLANTED } from './planted.ts';
import { createConformanceRouter } from './router.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const VISITS = 40;
const FEEDS = ['follow', 'observe', 'resume', 'pushed', 'never', 'count', 'failLater'];

/** A server, what its application sees, and what would be collected if nothing held it. */
class House implements AsyncDisposable {
  readonly stage = new Backstage();
  readonly sockets: WeakRef<WebSocket>[] = [];
  readonly contexts: WeakRef<object>[] = [];
  readonly #server = createServer();
  readonly #wss = new WebSocketServer({ server: this.#server });

  constructor(adapter: Adapter) {
    const router = createConformanceRouter(this.stage, 'plain');
    this.#wss.on('connection', (socket) => this.sockets.push(new WeakRef(socket)));
    adapter.apply({
      router,
      wss: this.#wss,
      keepAlive: { enabled: true },
      createContext: () => {
        const context = { user: 'ann' };
        this.contexts.push(new WeakRef(context));
        return context;
      },
    });
  }

  async run(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#wss.clients) socket.terminate();
    await new Promise((done) => this.#wss.close(done));
    await new Promise((done) => this.#server.close(done));
  }

  /** Somebody comes, calls, follows feeds of every kind, and goes in one of many ways. */
  async visit(n: number): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    client.on('error', () => undefined);
    await once(client, 'open');
    const say = (frame: unknown) => client.send(JSON.stringify(frame));
    for (const [id, name] of FEEDS.entries()) say(feed(id, `feeds.${name}`, { kind: 'trpc' }));
    say([feed('a', 'feeds.follow'), stop('a'), query('b', 'hello'), query('c', 'nobody')]);
    client.send('nonsense');
    await this.#readAll(client);
    this.stage.source('main').next(tracked(String(n), n));
    await this.#readAll(client);
    const gone = once(client, 'close');
    const [served] = this.#wss.clients;
    if (n % 4 === 0) client.close();
    else if (n % 4 === 1) client.terminate();
    else if (n % 4 === 2) served?.close(4000);
    else served?.terminate();
    await gone;
    while (this.#wss.clients.size > 0) await turn();
  }

  async #readAll(client: WebSocket): Promise<void> {
    for (let n = 0; n < 2; n++) {
      client.send('PING');
      await new Promise<void>((heard) => {
        client.on('message', (said) => String(said) === 'PONG' && heard());
      });
      await turn();
    }
  }
}

/** Timers of the process. What is over has none. */
const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

const held = (refs: readonly WeakRef<object>[]) => refs.filter((ref) => ref.deref() !== undefined).length;

async function leftoversOf(adapter: Adapter) {
  await using house = new House(adapter);
  await house.run();
  await house.visit(0);
  const timersBefore = timers();
  for (let n = 1; n < VISITS; n++) await house.visit(n);
  const { stage, sockets, contexts } = house;
  const refs = [sockets, contexts, stage.signals];
  // A turn keeps what it has looked at, and an engine some of what it last had in its hands.
  for (let n = 0; n < 20 && refs.some((each) => held(each) > 1); n++) {
    await sleep(10);
    collect();
  }
  return {
    feeds: stage.lives + stage.source('main').listeners,
    timers: Math.max(0, timers() - timersBefore),
    sockets: held(sockets),
    contexts: held(contexts),
    signals: held(stage.signals),
    signalsSeen: stage.signals.length,
  };
}

/** Keeps what it has seen. */
const kept: WebSocket[] = [];
const keeper: Adapter = {
  name: 'keeps every socket',
  apply(options) {
    options.wss.on('connection', (ws) => kept.push(ws));
    return applyWSSHandler(options);
  },
};
const forgetful = PLANTED.find(({ name }) => name === 'does not see clients go') ?? STOCK;

describe('[WIRE-24] connections and feeds that are over leave nothing behind', () => {
  it('not with ours', async () => {
    const { signalsSeen, sockets, contexts, signals, ...rest } = await leftoversOf(OURS);
    expect(rest).toEqual({ feeds: 0, timers: 0 });
    expect(Math.max(sockets, contexts, signals)).toBeLessThan(VISITS / 10);
    expect(signalsSeen).toBe(VISITS * 5);
  });

  it('control: a socket that is kept is seen', async () => {
    const { sockets } = await leftoversOf(keeper);
    expect(kept.length).toBe(VISITS);
    expect(sockets).toBe(VISITS);
  });

  it('control: feeds that are not ended are seen', async () => {
    const { feeds } = await leftoversOf(forgetful);
    expect(feeds).toBeGreaterThan(VISITS);
  });
});
