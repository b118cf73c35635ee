import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '@parley/runtime';
import type { AnyRouter } from '@trpc/server';
import { jsonEncoder } from '@trpc/server/adapters/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { Admission } from './admission.ts';
import { closeSlowSocket, closeSocket } from './close-socket.ts';
import { type Connection, DoorConnection } from './connection.ts';
import { decodeFrame } from './decode-frame.ts';
import { countersOf } from './door-metrics.ts';
import type { CallError, Opening, SocketDoorOptions } from './door-options.ts';
import { type DrainOptions, emptyDoor } from './drain.ts';
import { refuseUpgrade } from './guard.ts';
import { DOOR_LIMITS, type DoorLimits } from './limits.ts';
import { Outlet } from './wire/outlet.ts';
import { createSocketHandler, RECONNECT, type ServeSocket } from './wire/socket-handler.ts';
import type { WireConnection } from './wire/wire-connection.ts';

/** Where sockets come in. */
export interface SocketDoor extends Service {
  /** The connections that are open now. */
  connections(): Iterable<Connection>;
  /** Lets nobody in any more, stops the server from listening, and asks everyone, spread over the window, to connect anew elsewhere. */
  drain(options?: DrainOptions): Promise<void>;
  /** Closes the connections that the predicate picks; answers how many. */
  closeWhere(predicate: (connection: Connection) => boolean, code: number, reason: string): number;
}

/** The client's first calls are already on their way when a context fails. They get their error before the socket closes. */
const REFUSAL_PAUSE_MS = 50;
const RESTART_CODE = 1012;
const KEEP_ALIVE = { pingMs: 30_000, pongWaitMs: 5_000 };
const DRAIN: DrainOptions = { windowMs: 20_000 };

/** Serves a tRPC router on the server's sockets. Nothing is let in before `run`. */
export function createSocketDoor<TRouter extends AnyRouter>(options: SocketDoorOptions<TRouter>): SocketDoor {
  return new Door(options);
}

class Door implements SocketDoor {
  readonly name = 'socket door';
  readonly #options: SocketDoorOptions<AnyRouter>;
  readonly #limits: DoorLimits;
  readonly #connections = new Map<WebSocket, DoorConnection>();
  readonly #wss: WebSocketServer;
  readonly #outlet: Outlet;
  readonly #serve: ServeSocket;
  readonly #admission: Admission;
  readonly #count: ReturnType<typeof countersOf>;
  readonly #onSlow = (ws: WebSocket, socket: Duplex) => {
    this.#count.slowCuts.inc();
    closeSlowSocket(ws, socket, this.#options.slowCode);
  };
  readonly #onIdentified = () => this.#admission.identified();
  readonly #onSocketError = (error: Error) =>
    this.#options.log.debug({ err: error }, 'a socket failed before its upgrade');
  readonly #onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => this.#knock(req, socket, head);
  #draining: Promise<void> | undefined;

  constructor(options: SocketDoorOptions<AnyRouter>) {
    const limits = { ...DOOR_LIMITS, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#admission = new Admission(options, limits);
    this.#count = countersOf(options.metrics, {
      connections: this.#connections,
      admission: this.#admission,
      outgoing: () => this.#outlet.waiting,
    });
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.frameMaxBytes,
      maxFragments: limits.maxFragments,
      maxBufferedChunks: limits.maxBufferedChunks,
    });
    this.#outlet = new Outlet({ maxWaitingBytes: limits.waitingBytes, count: this.#count });
    this.#serve = createSocketHandler({
      router: options.router,
      keepsRequest: false,
      maxBatchSize: limits.callsPerFrame,
      experimental_encoder: { ...jsonEncoder, decode: (data) => decodeFrame(data, limits.callsPerFrame) },
      keepAlive: { enabled: true, ...KEEP_ALIVE, ...options.keepAlive },
      createContext: ({ res, info }) => this.#createContext(res, info),
      onError: ({ error, path, type, ctx }) => this.#report({ error, path, type, ctx }),
    });
  }

  run(): void {
    this.#options.server.on('upgrade', this.#onUpgrade);
  }

  stop(): Promise<void> {
    return this.drain();
  }

  connections(): Iterable<Connection> {
    return this.#connections.values();
  }

  drain(options: DrainOptions = this.#options.drain ?? DRAIN): Promise<void> {
    this.#draining ??= this.#empty(options);
    return this.#draining;
  }

  closeWhere(predicate: (connection: Connection) => boolean, code: number, reason: string): number {
    const picked = [...this.#connections.values()].filter(predicate);
    for (const connection of picked) connection.close(code, reason);
    return picked.length;
  }

  async #empty(options: DrainOptions): Promise<void> {
    this.#admission.close();
    this.#options.server.close();
    await emptyDoor(this.#connections, options, {
      ask: ({ writer }) => writer.send(RECONNECT),
      end: (connection) => connection.close(RESTART_CODE, 'restart'),
    });
    this.#options.server.off('upgrade', this.#onUpgrade);
    this.#wss.close();
  }

  /** A throw in here would end the process and with it every other socket. */
  #knock(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { log } = this.#options;
    socket.on('error', this.#onSocketError);
    try {
      const refusal = this.#admission.findRefusal(req, this.#connections.size);
      if (refusal) {
        this.#count.refusals.inc({ reason: refusal.reason });
        refuseUpgrade(socket, refusal);
        return;
      }
      this.#wss.handleUpgrade(req, socket, head, (ws) => this.#welcome(ws, req));
    } catch (error) {
      log.error({ err: error }, 'an upgrade failed');
      socket.destroy();
    }
  }

  #welcome(ws: WebSocket, req: IncomingMessage): void {
    const { log, unidentified, onConnection } = this.#options;
    // From here on ws has a listener of its own, and another one is a list of two.
    req.socket.off('error', this.#onSocketError);
    const connection = new DoorConnection({
      ws,
      socket: req.socket,
      outlet: this.#outlet,
      limits: this.#limits,
      onSlow: this.#onSlow,
      onIdentified: this.#onIdentified,
    });
    this.#connections.set(ws, connection);
    this.#admission.entered();
    connection.expectIdentity(() => connection.close(unidentified.code, unidentified.reason));
    try {
      onConnection?.(connection);
      this.#listen(ws, connection, this.#serve(ws, req, connection));
    } catch (error) {
      log.error({ err: error, connection: connection.id }, 'a connection could not be served');
      this.#listen(ws, connection, null);
      closeSocket(ws, 1011, 'internal error');
    }
  }

  /** One listener for each event, in a scope that holds nothing else: both would live as long as the socket. */
  #listen(ws: WebSocket, connection: DoorConnection, wire: WireConnection | null): void {
    ws.on('error', (error) => {
      this.#options.log.debug({ err: error, connection: connection.id }, 'a socket failed');
      wire?.failed(error);
    });
    ws.on('close', (code) => {
      this.#left(ws, connection, code);
      wire?.ended();
    });
    if (!wire) return;
    ws.on('message', (data, isBinary) => {
      wire.heard(data, isBinary);
      this.#count.frames.inc();
      connection.received();
    });
  }

  #left(ws: WebSocket, connection: DoorConnection, code: number): void {
    this.#connections.delete(ws);
    if (!connection.identity) this.#admission.identified();
    this.#count.closes.inc({ code: String(code) });
    connection.ended();
  }

  async #createContext(ws: WebSocket, info: Pick<Opening, 'connectionParams' | 'signal'>): Promise<unknown> {
    const connection = this.#connections.get(ws);
    if (!connection) throw new Error('a context was asked for by a socket that is gone');
    const opening = {
      connection,
      connectionParams: info.connectionParams,
      get signal() {
        return info.signal;
      },
    };
    connection.contextPending(true);
    try {
      const context: unknown = await this.#options.createContext(opening);
      connection.contextPending(false);
      return context;
    } catch (error) {
      connection.contextPending(false);
      const { code, reason } = this.#options.refused(error);
      await sleep(REFUSAL_PAUSE_MS);
      // The adapter sends the error now and closes, without a code, in an immediate of its own: ours comes first.
      setImmediate(() => connection.close(code, reason));
      throw error;
    }
  }

  #report(failure: CallError): void {
    const { onError, log } = this.#options;
    if (onError) onError(failure);
    else if (failure.error.code === 'INTERNAL_SERVER_ERROR') {
      log.error({ err: failure.error, path: failure.path }, 'a call failed');
    }
  }
}
