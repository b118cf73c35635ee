import { CLOSE_CODES, type ErrorCode, PROTOCOL_VERSION } from '@parley/protocol';
import {
  createTRPCUntypedClient,
  httpBatchLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCClientError,
  type TRPCLink,
} from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { observable, tap } from '@trpc/server/observable';
import type { ClientClock } from '../clock.ts';
import { failureOf } from '../failure.ts';
import type { Store } from '../store.ts';
import { type Carrier, gateOf } from './carrier.ts';
import { type ConnectionState, ConnectionStatus } from './connection-status.ts';
import { KeptToken } from './kept-token.ts';

/** What the server takes in one request. */
const BATCH_MAX = 100;
/** Proxies that forbid sockets are strict about addresses, too. */
const URL_MAX = 2_000;

export interface StreamOptions {
  /** `http://…/trpc` or `https://…/trpc`. */
  readonly url: string;
  readonly getToken: () => string | Promise<string>;
  readonly clock: Pick<ClientClock, 'now'>;
  /** For runtimes that have none. */
  readonly EventSource?: typeof EventSource;
  /** The server will not take us any more. */
  readonly onStopped: () => void;
}

/** Where a socket would have been closed for good. */
const FINAL: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: CLOSE_CODES.UNAUTHENTICATED,
  PROTOCOL: CLOSE_CODES.PROTOCOL_TOO_OLD,
};

/**
 * Calls by HTTP and each feed by a stream of server-sent events, for where sockets are forbidden. A stream is let in by a ticket of its own
 * and comes back by itself; the state is that of the inbox's stream.
 */
export class StreamConnection implements Carrier {
  readonly #options: StreamOptions;
  readonly #status = new ConnectionStatus();
  readonly #token: KeptToken;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#token = new KeptToken(options.getToken, options.clock);
  }

  get links(): TRPCLink<AnyTRPCRouter>[] {
    const { url, EventSource } = this.#options;
    const calls = httpBatchLink<AnyTRPCRouter>({
      url,
      maxItems: BATCH_MAX,
      maxURLLength: URL_MAX,
      headers: async () => ({
        authorization: `Bearer ${await this.#token.get()}`,
        'x-parley-protocol': String(PROTOCOL_VERSION),
      }),
    });
    const tickets = createTRPCUntypedClient<AnyTRPCRouter>({ links: [this.#watch, calls] });
    const streams = httpSubscriptionLink<AnyTRPCRouter, typeof globalThis.EventSource>({
      url: async () => {
        const { ticket } = ticketOf(await tickets.mutation('session.ticket'));
        return `${url}?ticket=${ticket}`;
      },
      ...(EventSource && { EventSource }),
    });
    const split = splitLink<AnyTRPCRouter>({ condition: isFeed, true: streams, false: calls });
    return [gateOf(this.#status), this.#watch, split];
  }

  get state(): Store<ConnectionState> {
    return this.#status.state;
  }

  proven(): void {
    this.#status.proven();
  }

  stop(): void {
    this.#status.stop();
  }

  /** Sees what becomes of calls and of the inbox's stream. */
  readonly #watch: TRPCLink<AnyTRPCRouter> = () => (call) => {
    const isInbox = call.op.path === 'feed.inbox';
    return observable((observer) =>
      call
        .next(call.op)
        .pipe(
          tap({
            next: ({ result }) => {
              if (isInbox && result.type === 'state' && result.error) this.#status.lost();
            },
            error: (error) => {
              if (isInbox) this.#status.lost();
              this.#failed(error);
            },
          }),
        )
        .subscribe(observer),
    );
  };

  #failed(error: TRPCClientError<AnyTRPCRouter>): void {
    const code = failureOf(error)?.code;
    if (code === 'TOKEN_EXPIRED') this.#token.forget();
    const closeCode = code && FINAL[code];
    if (closeCode === undefined || this.#status.isStopped) return;
    this.#status.stop(closeCode);
    this.#options.onStopped();
  }
}

const isFeed = ({ type }: { readonly type: string }): boolean => type === 'subscription';
const ticketOf = (answer: unknown) => answer as { ticket: string };
