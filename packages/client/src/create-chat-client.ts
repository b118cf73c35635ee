import { ChatClient } from './chat-client.ts';
import { browserClock, type ClientClock } from './clock.ts';
import type { Carrier } from './connection/carrier.ts';
import { Connection, type ConnectionOptions } from './connection/connection.ts';
import { StreamConnection } from './connection/stream-connection.ts';
import { TokenRefresh } from './connection/token-refresh.ts';
import { newId } from './new-id.ts';
import { memoryOutboxStorage, type OutboxStorage } from './outbox/storage.ts';
import type { Random } from './retry-delay.ts';
import { createTrpcApi } from './trpc-api.ts';

export interface ChatClientOptions {
  /** `ws://…/trpc` or `wss://…/trpc`. */
  readonly url: string;
  /** Asked on every connection and before a token expires: gives one that is valid now. */
  readonly getToken: () => string | Promise<string>;
  /** Where unsent messages survive a reload. By default they do not. One storage for each user. */
  readonly outboxStorage?: OutboxStorage;
  /**
   * `socket`: everything over one WebSocket. `stream`: calls by HTTP, feeds by server-sent events, for where a proxy forbids sockets.
   * Default: `socket`.
   */
  readonly carrier?: 'socket' | 'stream';
  /** For runtimes that have no WebSocket. */
  readonly WebSocket?: typeof WebSocket;
  /** For runtimes that have no EventSource, with `carrier: 'stream'`. */
  readonly EventSource?: typeof EventSource;
  readonly clock?: ClientClock;
  readonly random?: Random;
  /** Told of what the client lives with, such as a storage that refuses. */
  readonly onProblem?: (error: unknown) => void;
}

/** Builds a client. It does nothing before `run`. */
export function createChatClient(options: ChatClientOptions): ChatClient {
  const { getToken, clock = browserClock, random = Math.random } = options;
  const connection = carrierOf(options, {
    clock,
    random,
    onToken: (token) => refresh.follow(token),
    onStopped: () => {
      refresh.stop();
      client.stop();
    },
  });
  const api = createTrpcApi(connection.links);
  const refresh = new TokenRefresh({ api, getToken, clock, random });
  const client = new ChatClient({
    api,
    connection: {
      state: connection.state,
      proven: () => connection.proven(),
      stop: () => {
        refresh.stop();
        connection.stop();
      },
    },
    outboxStorage: options.outboxStorage ?? memoryOutboxStorage(),
    clock,
    random,
    newId: () => newId(clock.now()),
    onProblem: options.onProblem ?? (() => undefined),
  });
  return client;
}

type Shared = Pick<ConnectionOptions, 'random' | 'onToken' | 'onStopped'> & { readonly clock: ClientClock };

function carrierOf(options: ChatClientOptions, { clock, random, onToken, onStopped }: Shared): Carrier {
  const { getToken, WebSocket, EventSource } = options;
  if (options.carrier === 'stream') {
    const url = options.url.replace(/^ws/, 'http');
    return new StreamConnection({ url, getToken, clock, onStopped, ...(EventSource && { EventSource }) });
  }
  const url = options.url.replace(/^http/, 'ws');
  return new Connection({ url, getToken, random, onToken, onStopped, ...(WebSocket && { WebSocket }) });
}
