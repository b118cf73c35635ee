import { CLOSE_CODES, comesBack, PROTOCOL_VERSION } from '@parley/protocol';
import { createWSClient, type TRPCLink, type TRPCWebSocketClient, wsLink } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { observable } from '@trpc/server/observable';
import { type Random, retryDelayMs } from '../retry-delay.ts';
import { createStore, type Store } from '../store.ts';

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
/** After this many failures in a row the user is told that the server cannot be reached. The attempts go on. */
const OFFLINE_AFTER = 4;

/**
 * `connecting`: for the first time · `connected` · `reconnecting`: lost a moment ago · `offline`: lost for longer, attempts go on ·
 * `stopped`: for good, by `stop` or by the server, whose reason is in `closeCode`.
 */
export interface ConnectionState {
  readonly status: 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'stopped';
  readonly closeCode: number | null;
  /** The close code's name in the contract, for a message to the user. */
  readonly reason: keyof typeof CLOSE_CODES | null;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly getToken: () => string | Promise<string>;
  readonly random: Random;
  /** For runtimes that have none. */
  readonly WebSocket?: typeof WebSocket;
  /** A socket was opened with this token. */
  readonly onToken: (token: string) => void;
  /** The server closed the connection for good. */
  readonly onStopped: () => void;
}

/** The one socket, kept by the stock client: it comes back after every close code that allows it, with a fresh token. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #state = createStore<ConnectionState>({ status: 'connecting', closeCode: null, reason: null });
  readonly #socket: TRPCWebSocketClient;
  /** Closed or not opened since the server last proved that it takes us. */
  #failures = 0;
  #wasProven = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = createWSClient({
      url: options.url,
      ...(options.WebSocket && { WebSocket: options.WebSocket }),
      // Opened by the first call, which is `run`'s: a constructor opens nothing.
      lazy: { enabled: true, closeMs: 2 ** 31 - 1 },
      keepAlive: { enabled: true, intervalMs: PING_EVERY_MS, pongTimeoutMs: PONG_WITHIN_MS },
      connectionParams: async () => {
        const token = await options.getToken();
        options.onToken(token);
        return { token, protocol: String(PROTOCOL_VERSION) };
      },
      // A server that opens the socket and then refuses it would be asked without end: the stock client counts only what did not open.
      retryDelayMs: (attempt) => retryDelayMs(Math.max(attempt, this.#failures - 1), options.random),
      onClose: (cause) => this.#closed(cause?.code ?? null),
    });
  }

  /** Calls and feeds over this socket. Once it is stopped they end at once, instead of opening it again. */
  get links(): TRPCLink<AnyTRPCRouter>[] {
    const gate: TRPCLink<AnyTRPCRouter> = () => (call) =>
      observable((observer) => {
        if (!this.isStopped) return call.next(call.op).subscribe(observer);
        return observer.complete();
      });
    return [gate, wsLink<AnyTRPCRouter>({ client: this.#socket })];
  }

  get isStopped(): boolean {
    return this.#state.getSnapshot().status === 'stopped';
  }

  get state(): Store<ConnectionState> {
    return this.#state;
  }

  /** The server answered on this connection: it takes us. */
  proven(): void {
    this.#failures = 0;
    this.#wasProven = true;
    this.#set('connected', null);
  }

  stop(): void {
    this.#set('stopped', this.#state.getSnapshot().closeCode);
    void this.#socket.close();
  }

  #closed(closeCode: number | null): void {
    if (closeCode !== null && !comesBack(closeCode)) {
      this.#set('stopped', closeCode);
      this.#options.onStopped();
      return;
    }
    // A socket that the server had us replace is closed last: the new one is open already.
    if (this.#socket.connection?.state !== 'open') this.#lost();
  }

  #lost(): void {
    this.#failures += 1;
    const beforeOffline = this.#wasProven ? 'reconnecting' : 'connecting';
    this.#set(this.#failures >= OFFLINE_AFTER ? 'offline' : beforeOffline, null);
  }

  #set(status: ConnectionState['status'], closeCode: number | null): void {
    const before = this.#state.getSnapshot();
    // What is stopped stays so, whatever the socket still reports.
    if (this.isStopped || (before.status === status && before.closeCode === closeCode)) return;
    this.#state.set({ status, closeCode, reason: nameOf(closeCode) });
  }
}

function nameOf(closeCode: number | null): ConnectionState['reason'] {
  const names = Object.keys(CLOSE_CODES) as (keyof typeof CLOSE_CODES)[];
  return names.find((name) => CLOSE_CODES[name] === closeCode) ?? null;
}
