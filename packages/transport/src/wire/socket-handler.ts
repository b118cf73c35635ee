import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyRouter } from '@trpc/server';
import type { WSSHandlerOptions } from '@trpc/server/adapters/ws';
import type { WebSocket } from 'ws';
import { closeSlowSocket } from '../close-socket.ts';
import { createGate, type Gate } from '../gate.ts';
import { DOOR_LIMITS } from '../limits.ts';
import { PeerWatch } from './keep-alive.ts';
import { Outlet } from './outlet.ts';
import { SocketWriter } from './socket-writer.ts';
import { Wire, type WireOptions } from './wire.ts';
import { WireConnection } from './wire-connection.ts';

/** What one socket is written by, and what says whether its reader keeps up. */
export interface Line {
  readonly writer: SocketWriter;
  readonly gate: Gate;
}

/** Serves one socket after the other. Whoever asks for it hands on what the socket says (`listenTo`), and may listen for himself, too. */
export type ServeSocket = (ws: WebSocket, req: IncomingMessage, line: Line) => WireConnection;

/** What is sent to ask a client to connect anew. */
export const RECONNECT = '{"id":null,"method":"reconnect"}';

const PING_MS = 30_000;
const PONG_WAIT_MS = 5_000;
/** "Try again later": a reader that does not keep up. */
const SLOW_CODE = 1013;

/** Speaks tRPC's protocol over sockets, for any router. */
export function createSocketHandler<TRouter extends AnyRouter>(options: WireOptions<TRouter>): ServeSocket {
  // From here on the context is whatever `createContext` gave: nothing but the router's own procedures looks into it.
  const wire = new Wire(options as unknown as WireOptions);
  const { enabled = false, pingMs = PING_MS, pongWaitMs = PONG_WAIT_MS } = options.keepAlive ?? {};
  const peers = enabled ? new PeerWatch({ pingMs, pongWaitMs }) : null;
  return (ws, req, line) => {
    const connection = new WireConnection({ wire, ws, req, line, peers });
    connection.run();
    return connection;
  };
}

/**
 * A drop-in for the `applyWSSHandler` of `@trpc/server/adapters/ws`: the same options, the same protocol, any router. Beside that, feeds
 * that can be pushed are (`PushFeed`); no subscription is asked for more than its reader takes, and a reader who stalls is closed with
 * 1013.
 */
export function applySocketHandler<TRouter extends AnyRouter>(options: WSSHandlerOptions<TRouter>) {
  const { wss, prefix } = options;
  // Its `onError` is told in the types of its router, and always with the request, since that is kept.
  const serve = createSocketHandler({ ...options, keepsRequest: true } as unknown as WireOptions);
  const outlet = new Outlet({ maxWaitingBytes: DOOR_LIMITS.waitingBytes });
  wss.on('connection', (ws, req) => {
    if (prefix && !req.url?.startsWith(prefix)) return;
    const writer = new SocketWriter({ ws, socket: req.socket, outlet, onSlow: closeSlow });
    letFlushFirst(ws, writer);
    listenTo(ws, serve(ws, req, { writer, gate: createGate(writer, DOOR_LIMITS) }));
  });
  return {
    /** Asks every client to connect anew, before a deployment for one. */
    broadcastReconnectNotification: () => {
      const message = options.experimental_encoder?.encode({ id: null, method: 'reconnect' }) ?? RECONNECT;
      for (const ws of wss.clients) if (ws.readyState === ws.OPEN) ws.send(message);
    },
  };
}

function closeSlow(ws: WebSocket, socket: Duplex): void {
  closeSlowSocket(ws, socket, SLOW_CODE);
}

function listenTo(ws: WebSocket, connection: WireConnection): void {
  ws.on('message', (data, isBinary) => connection.heard(data, isBinary));
  ws.on('error', (cause) => connection.failed(cause));
  ws.on('close', () => connection.ended());
}

/** Whoever has the socket may use it as if nobody else wrote to it: what was answered before goes out before. */
function letFlushFirst(ws: WebSocket, writer: SocketWriter): void {
  for (const name of ['close', 'terminate', 'send'] as const) {
    const use: (...given: never[]) => void = ws[name];
    Object.assign(ws, {
      [name]: (...given: never[]) => {
        writer.flush();
        use.apply(ws, given);
      },
    });
  }
}
