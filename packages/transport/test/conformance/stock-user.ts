import {
  createTRPCUntypedClient,
  createWSClient,
  type Operation,
  TRPCClientError,
  type TRPCLink,
  type TRPCUntypedClient,
  type TRPCWebSocketClient,
  wsLink,
} from '@trpc/client';
import type { Unsubscribable } from '@trpc/server/observable';
import { isRecord } from './is-record.ts';
import { plain } from './plain.ts';
import type { Player } from './player.ts';
import type { ConformanceRouter } from './router.ts';
import { transformer } from './transformer.ts';

type SocketOptions = Parameters<typeof createWSClient>[0];

interface StockUserOptions extends Omit<SocketOptions, 'url'> {
  readonly path?: string;
  readonly transformed?: boolean;
  /** Links before the one that ends in the socket. */
  readonly links?: TRPCLink<ConformanceRouter>[];
}

interface FeedOptions {
  readonly input?: unknown;
  readonly signal?: AbortSignal;
}

/** Waits no longer than a turn before it connects anew. */
const RETRY_MS = 1;

/** The stock client, with all that it calls back written down. */
export class StockUser {
  readonly socket: TRPCWebSocketClient;
  readonly #client: TRPCUntypedClient<ConformanceRouter>;
  readonly #player: Player;
  readonly #name: string;
  readonly #feeds = new Map<string, Unsubscribable>();

  constructor(player: Player, name: string, { path, transformed, links = [], ...options }: StockUserOptions = {}) {
    this.#player = player;
    this.#name = name;
    this.socket = createWSClient({
      url: player.url(path),
      retryDelayMs: () => RETRY_MS,
      onOpen: () => this.#hear('socket', 'onOpen', null),
      onClose: (cause) => this.#hear('socket', 'onClose', cause?.code),
      onError: () => this.#hear('socket', 'onError', null),
      ...options,
    });
    this.socket.connectionState.subscribe({
      next: ({ state, error }) => this.#hear('state', state, error?.message),
    });
    const last = wsLink<ConformanceRouter>({ client: this.socket, ...wordsOf(transformed) } as never);
    this.#client = createTRPCUntypedClient<ConformanceRouter>({ links: [...links, last] });
    player.onEnd(() => this.socket.close());
  }

  /** Resolves when it is answered, whichever way. */
  async query(path: string, input?: unknown, signal?: AbortSignal): Promise<void> {
    await this.#answered(path, this.#client.query(path, input, signal && { signal }));
  }

  async mutation(path: string, input?: unknown): Promise<void> {
    await this.#answered(path, this.#client.mutation(path, input));
  }

  /** Follows a feed under a name. */
  follow(name: string, path: string, { input, signal }: FeedOptions = {}): void {
    const hear = (what: string) => (value: unknown) => this.#hear(`feed ${name}`, what, value);
    const feed = this.#client.subscription(path, input, {
      ...(signal && { signal }),
      onStarted: () => hear('onStarted')(null),
      onData: hear('onData'),
      onError: (error) => hear('onError')(wordsOfError(error)),
      onStopped: () => hear('onStopped')(null),
      onComplete: () => hear('onComplete')(null),
      onConnectionStateChange: ({ state, error }) => hear(state)(error?.message),
    });
    this.#feeds.set(name, feed);
  }

  leave(name: string): void {
    this.#feeds.get(name)?.unsubscribe();
  }

  async #answered(path: string, answer: Promise<unknown>): Promise<void> {
    try {
      this.#hear(path, 'result', await answer);
    } catch (error) {
      this.#hear(path, 'error', wordsOfError(error));
    }
  }

  #hear(request: string, what: string, value: unknown): void {
    this.#player.hear({ client: this.#name, request, text: `${what} ${JSON.stringify(plain(value))}` });
  }
}

const wordsOf = (transformed: boolean | undefined) => (transformed ? { transformer } : {});

function wordsOfError(error: unknown): unknown {
  if (!(error instanceof TRPCClientError)) return error;
  const { message, name, data, shape, meta, cause } = error;
  return { message, name, data, shape, meta: isRecord(meta) && Object.keys(meta), cause: String(cause) };
}

/** Writes down what goes through a chain of links, and how often it is tried. */
export function countingLink(player: Player): TRPCLink<ConformanceRouter> {
  return () =>
    ({ op, next }) => {
      const { path, type, input }: Operation = op;
      player.stage.note(`op ${type} ${path}`, plain(input));
      return next(op);
    };
}
