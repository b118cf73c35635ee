import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { CreateWSSContextFnOptions, WSSHandlerOptions } from '@trpc/server/adapters/ws';
import { vi } from 'vitest';
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import type { Adapter } from './adapters.ts';
import { Backstage } from './backstage.ts';
import { plain, understand } from './plain.ts';
import { type ConformanceRouter, type Context, createConformanceRouter, type Variant } from './router.ts';

type HandlerOptions = WSSHandlerOptions<ConformanceRouter>;

/** One story that is told to each adapter. */
export interface Scene {
  readonly name: string;
  readonly router?: Variant;
  readonly options?: Partial<Omit<HandlerOptions, 'wss' | 'router' | 'createContext' | 'onError'>>;
  /** `absent`: the adapter gets none. Else what it does when it is asked for one. */
  readonly context?: 'absent' | ((asked: CreateWSSContextFnOptions, stage: Backstage) => Context | Promise<Context>);
  /** What `onError` does after it was noted; `absent`: there is none. */
  readonly onError?: 'absent' | (() => unknown);
  readonly server?: ServerOptions;
  /** What the server does with a socket before the adapter sees it. */
  readonly prepare?: (socket: WebSocket) => void;
  /** The path that the first client asks for; `none`: no client comes by itself. */
  readonly path?: string;
  readonly play: (player: Player) => Promise<void>;
}

/** Something that a client heard: an answer to a request, by its id, or a word that belongs to none. */
export interface Heard {
  readonly client: string;
  readonly request: string;
  readonly text: string;
}

/** What a scene did, and all that came of it. */
export interface Step {
  readonly step: string;
  readonly heard: Heard[];
}

/** What was heard by the clients, and what the application behind the adapter was told. */
export interface Recording {
  readonly steps: readonly Step[];
  readonly notes: Record<string, unknown[]>;
}

/** What a client says: text and bytes as they are, all else as JSON. */
export type Frame = unknown;

const MUCH_CHARS = 40_000;
const LOOKED_AT_WITHIN_MS = 60;

const encode = (frame: Frame): string | Buffer =>
  typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame);

/** Plays a scene to an adapter. */
export class Player implements AsyncDisposable {
  readonly stage = new Backstage();
  /** What clients have said so far. */
  pings = 0;
  pongs = 0;
  readonly #scene: Scene;
  readonly #server = createServer((_req, res) => res.writeHead(426).end());
  readonly #wss: WebSocketServer;
  readonly #applied: { broadcastReconnectNotification(): void };
  readonly #clients = new Map<string, WebSocket>();
  readonly #served: WebSocket[] = [];
  readonly #steps: Step[] = [{ step: 'the beginning', heard: [] }];
  readonly #leavers: (() => unknown)[] = [];
  #heard = 0;
  #heardChars = 0;

  constructor(adapter: Adapter, scene: Scene) {
    this.#scene = scene;
    this.#wss = new WebSocketServer({ server: this.#server, ...scene.server });
    this.#wss.on('connection', (socket) => {
      this.#served.push(socket);
      socket.on('message', (said) => {
        if (String(said) === 'PING') this.pings++;
        if (String(said) === 'PONG') this.pongs++;
      });
      scene.prepare?.(socket);
    });
    const { stage } = this;
    stage.onHangUp = () => this.served().close(4020, 'hung up');
    const router = createConformanceRouter(stage, scene.router ?? 'plain');
    this.#applied = adapter.apply({ ...this.#handlerOptions(), wss: this.#wss, router });
  }

  async run(): Promise<Recording> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    if (this.#scene.path !== 'none') await this.join('a', this.#scene.path ?? '/');
    await this.#scene.play(this);
    await this.settle();
    this.#mark('the end');
    for (const client of this.#clients.values()) client.close();
    for (const leave of this.#leavers) leave();
    await this.settle();
    this.stage.note('left', { clients: this.#wss.clients.size, lives: this.stage.lives });
    return { steps: this.#steps, notes: this.stage.notes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const leave of this.#leavers) leave();
    for (const client of this.#clients.values()) client.terminate();
    for (const socket of this.#wss.clients) socket.terminate();
    this.#wss.close();
    await new Promise((done) => this.#server.close(done));
  }

  url(path = '/'): string {
    const { port } = this.#server.address() as AddressInfo;
    return `ws://127.0.0.1:${port}${path}`;
  }

  /** Called at the end of the scene, and may be again. */
  onEnd(leave: () => unknown): void {
    this.#leavers.push(leave);
  }

  /** A client comes. */
  async join(name: string, path = '/'): Promise<void> {
    const client = new WebSocket(this.url(path));
    this.#clients.set(name, client);
    this.#mark(`${name} comes to ${path}`);
    client.on('message', (bytes, isBinary) => this.hear({ client: name, ...understand(String(bytes), isBinary) }));
    client.on('close', (code, reason) => {
      this.hear({ client: name, request: 'none', text: `closed ${code} ${reason}` });
    });
    await new Promise((done, fail) => client.once('open', done).once('error', fail));
    client.on('error', () => undefined);
    await this.settle();
  }

  /** Says frames one right after the other, and waits until all is said to them. */
  async say(...frames: Frame[]): Promise<void> {
    this.tell('a', ...frames);
    await this.settle();
  }

  /** Says frames of a client, and waits for nothing. */
  tell(name: string, ...frames: Frame[]): void {
    this.#mark(`${name}: ${frames.map((frame) => String(encode(frame)).slice(0, 300)).join(' + ')}`);
    const client = this.client(name);
    inOnePiece(client, () => {
      for (const frame of frames) client.send(encode(frame));
    });
  }

  /** The same, and closes right after it. */
  async sayAndClose(...frames: Frame[]): Promise<void> {
    const client = this.client();
    inOnePiece(client, () => {
      this.tell('a', ...frames);
      client.close();
    });
    await this.settle();
  }

  /** Does something else, and waits until all is said to it. */
  async do(what: string, act: () => unknown): Promise<void> {
    this.#mark(what);
    act();
    await this.settle();
  }

  open(gate: string): Promise<void> {
    return this.do(`gate ${gate}`, () => this.stage.open(gate));
  }

  emit(...values: unknown[]): Promise<void> {
    return this.do(`emits ${values.length}`, () => {
      for (const value of values) this.stage.source('main').next(value);
    });
  }

  broadcast(): Promise<void> {
    return this.do('broadcast', () => this.#applied.broadcastReconnectNotification());
  }

  /** Turns the clock, which the test must have in its hand. */
  pass(ms: number): Promise<void> {
    return this.do(`${ms} ms pass`, () => vi.advanceTimersByTime(ms));
  }

  /** Waits for something that takes its time. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    this.#mark(what);
    for (let n = 0; !isSo(); n++) {
      if (n > 1_000) throw new Error(`never: ${what}`);
      await sleep(10);
    }
    await this.settle();
  }

  /** Connections that are open. */
  get clients(): number {
    return this.#wss.clients.size;
  }

  /** Connections there have been. */
  get cameBy(): number {
    return this.#served.length;
  }

  client(name = 'a'): WebSocket {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`nobody came by the name of ${name}`);
    return client;
  }

  /** The server's end of a connection, by the order in which they came. */
  served(at = 0): WebSocket {
    const socket = this.#served[at];
    if (!socket) throw new Error(`no connection ${at}`);
    return socket;
  }

  /**
   * Resolves when nothing moves any more: what either side wrote was read, and nothing came of it in some turns. Who has written much may
   * be waiting for a reader whom he looks at now and then only.
   */
  async settle(): Promise<void> {
    let quiet = 0;
    while (quiet < 2) {
      const before = this.#heard + this.stage.activity;
      await Promise.all([...this.#clients.values()].map(roundTrip));
      for (let n = 0; n < 5; n++) await turn();
      if (this.#heardChars > MUCH_CHARS) await sleep(LOOKED_AT_WITHIN_MS);
      // A stock client sets timers of its own.
      for (let n = 0; n < 4 && this.#leavers.length > 0; n++) await sleep(10);
      quiet = before === this.#heard + this.stage.activity ? quiet + 1 : 0;
    }
    this.#heardChars = 0;
  }

  /** Writes down what a client heard. */
  hear(heard: Heard): void {
    this.#heard++;
    this.#heardChars += heard.text.length;
    this.#steps.at(-1)?.heard.push(heard);
  }

  #mark(step: string): void {
    this.#steps.push({ step, heard: [] });
  }

  #handlerOptions(): Pick<HandlerOptions, 'createContext' | 'onError'> {
    const { context, onError, options } = this.#scene;
    const { stage } = this;
    return {
      ...options,
      ...(context !== 'absent' && {
        createContext: (asked) => {
          stage.note('context', this.#asked(asked));
          asked.info.signal.addEventListener('abort', () => stage.note('context', 'signal'), { once: true });
          return context?.(asked, stage) ?? { user: 'ann' };
        },
      }),
      ...(onError !== 'absent' && {
        onError: ({ error, path, type, input, ctx, req }) => {
          const { code, message, name, cause } = error;
          const of = this.#isOurs(req);
          stage.note(
            `onError of ${type} ${path}`,
            plain({ code, message, name, cause: String(cause), path, type, input, ctx, of }),
          );
          return onError?.() as undefined;
        },
      }),
    };
  }

  #asked({ req, res, info }: CreateWSSContextFnOptions): unknown {
    const { accept, calls, connectionParams, isBatchCall, signal, type, url } = info;
    return plain({
      ...{ accept, calls: calls.length, connectionParams, isBatchCall, type, url, aborted: signal.aborted },
      ...{ keys: Object.keys(info).sort(), req: this.#isOurs(req), res: this.#served.indexOf(res) },
    });
  }

  #isOurs(req: IncomingMessage): string | undefined {
    return req.url;
  }
}

/** What is sent meanwhile reaches the other side at once: else it depends on the system what is read together. */
function inOnePiece(client: WebSocket, act: () => void): void {
  const carrier: unknown = Reflect.get(client, '_socket');
  if (!(carrier instanceof Socket)) throw new Error('ws has no socket of that name any more');
  carrier.cork();
  act();
  carrier.uncork();
}

/** Everything that the server wrote before, a client has read after. */
function roundTrip(client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      client.off('pong', done);
      client.off('close', done);
      resolve();
    };
    client.once('pong', done);
    client.once('close', done);
    if (client.readyState === WebSocket.OPEN) client.ping();
    else if (client.readyState === WebSocket.CLOSED) done();
  });
}

/** Plays a scene to an adapter and answers with what happened. */
export async function record(adapter: Adapter, scene: Scene): Promise<Recording> {
  await using player = new Player(adapter, scene);
  return await player.run();
}
