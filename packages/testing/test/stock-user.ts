import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppRouter } from '@parley/api/router';
import type { Position } from '@parley/protocol';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import type { Acked, Observed } from '../src/history.ts';

interface Sign {
  readonly token: string;
  readonly userId: string;
}

/** Signs in by a name, as the dev page does. */
export async function signIn(url: string, name: string): Promise<Sign> {
  const answer = await fetch(`${url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!answer.ok) throw new Error(`dev token: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Sign;
}

/** Positions and ids seen by one feed, as the application was handed them. */
interface Watch extends Observed {
  readonly seen: { messageId: string; position: Position }[];
  readonly resyncs: string[];
  /** Why the feed ended, each time that it did; the stock client does not open it again by itself. */
  readonly endings: string[];
  /** The longest time between the log's taking a message and its being handed over, ms. */
  slowestMs: number;
}

/**
 * A user on the stock client: no outbox, no gap fill, nothing of ours. `url` is asked at each connect, so that a reconnect may land on
 * another node. A send is repeated with the same id until it is answered, and forgotten then.
 */
export class StockUser implements AsyncDisposable {
  readonly name: string;
  readonly userId: string;
  readonly acked: Acked[] = [];
  readonly watches: Watch[] = [];
  /** Sends that were answered with `duplicate`, and errors that a send met on its way. */
  duplicates = 0;
  retries = 0;
  /** When each answer came, epoch ms. */
  readonly ackedAt: number[] = [];
  readonly #socket: ReturnType<typeof createWSClient>;
  readonly client: ReturnType<typeof createTRPCClient<AppRouter>>;

  constructor(name: string, sign: Sign, url: () => string) {
    this.name = name;
    this.userId = sign.userId;
    this.#socket = createWSClient({
      url: () => `${url().replace(/^http/, 'ws')}/trpc`,
      connectionParams: () => ({ token: sign.token }),
      retryDelayMs: () => 50 + Math.random() * 200,
      keepAlive: { enabled: true, intervalMs: 2_000, pongTimeoutMs: 2_000 },
    });
    this.client = createTRPCClient<AppRouter>({ links: [wsLink({ client: this.#socket })] });
  }

  /** Cuts the socket under the client, as a train tunnel does. False: there was none. */
  cut(): boolean {
    const socket = this.#socket.connection?.ws;
    socket?.close();
    return socket !== undefined;
  }

  /** Opens a channel's feed and resolves at its `opened`. */
  watch(channelId: string): Promise<void> {
    const watch: Watch = { observer: this.name, channelId, seen: [], resyncs: [], endings: [], slowestMs: 0 };
    this.watches.push(watch);
    return new Promise((resolve, reject) => {
      this.client.feed.channel.subscribe(
        { channelId },
        {
          onData: ({ data: event }) => {
            if (event.type === 'opened') resolve();
            if (event.type === 'resync') watch.resyncs.push(event.reason);
            if (event.type !== 'message.created') return;
            watch.slowestMs = Math.max(watch.slowestMs, Date.now() - event.message.sentAt);
            watch.seen.push({ messageId: event.message.id, position: event.message.position });
          },
          onError: (error) => {
            watch.endings.push(error.message);
            reject(error);
          },
        },
      );
    });
  }

  /** Sends until there is an answer. A refusal that is final throws. */
  async send(channelId: string, body: string, deadline = Date.now() + 60_000): Promise<Acked> {
    const clientMsgId = randomUUID();
    for (;;) {
      try {
        const answer = await this.client.message.send.mutate({ channelId, clientMsgId, body });
        if (answer.duplicate) this.duplicates++;
        this.ackedAt.push(Date.now());
        const { messageId, position } = answer;
        const acked = { channelId, senderId: this.userId, clientMsgId, messageId, position };
        this.acked.push(acked);
        return acked;
      } catch (error) {
        if (!isTransient(error) || Date.now() > deadline) throw error;
        this.retries++;
        await sleep(30 + Math.random() * 100);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket.close();
  }
}

/** Whether trying again may help: a lost socket has no code of ours, a refusal says so itself. */
function isTransient(error: unknown): boolean {
  const parley = (error as { data?: { parley?: { retryable?: boolean } } }).data?.parley;
  return parley === undefined || parley.retryable === true;
}
