import { comesBack, PROTOCOL_VERSION } from '@parley/protocol';
import { createWSClient, type TRPCLink, type TRPCWebSocketClient, wsLink } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { type Random, retryDelayMs } from '../retry-delay.ts';
import type { Store } from '../store.ts';
import { type Carrier, gateOf } from './carrier.ts';
import { type ConnectionState, ConnectionStatus } from './connection-status.ts';

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;

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
export class Connection implements Carrier {
  readonly #options: ConnectionOptions;
  readonly #status = new ConnectionStatus();
  readonly #socket: TRPCWebSocketClient;

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
      retryDelayMs: (attempt) => retryDelayMs(Math.max(attempt, this.#status.failures - 1), options.random),
      onClose: (cause) => this.#closed(cause?.code ?? null),
    });
  }

  get links(): TRPCLink<AnyTRPCRouter>[] {
    return [gateOf(this.#status), wsLink<AnyTRPCRouter>({ client: this.#socket })];
  }

  get state(): Store<ConnectionState> {
    return this.#status.state;
  }

  proven(): void {
    this.#status.proven();
  }

  stop(): void {
    this.#status.stop();
    void this.#socket.close();
  }

  #closed(closeCode: number | null): void {
    if (closeCode !== null && !comesBack(closeCode)) {
      this.#status.stop(closeCode);
      this.#options.onStopped();
      return;
    }
    // A socket that the server had us replace is closed last: the new one is open already.
    if (this.#socket.connection?.state !== 'open') this.#status.lost();
  }
}
