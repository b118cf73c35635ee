import { randomUUID } from 'node:crypto';
import type { AppRouter } from '@parley/api/router';
import type { InboxEvent } from '@parley/protocol';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { WebSocket } from 'ws';
import { socketClass } from './cuttable-socket.ts';
import { mayRetry, wordFor } from './failures.ts';
import { type BookedFeed, type Ledger, type Place, placeOf, positionAt } from './ledger.ts';
import type { Pulse } from './pulse.ts';

/** Where everybody books what he sends and gets. One process, one clock. */
export interface Books {
  readonly ledger: Ledger;
  readonly pulse: Pulse;
  /** Who sent a message and when, for as long as it can be on its way. */
  readonly sent: Map<string, { readonly by: Session; readonly at: number }>;
}

/** A channel that a session looks at. */
export interface Feed {
  readonly channelId: string;
  readonly booked: BookedFeed;
  /** Whether something came since it was read. */
  unread: boolean;
}

type Snapshot = Extract<InboxEvent, { type: 'snapshot' }>;

const PATIENCE_MS = 15_000;
const REOPEN_AFTER_MS = 200;

/** One signed-in user at one socket, on the stock typed client. */
export class Session implements AsyncDisposable {
  readonly #books: Books;
  readonly #feeds = new Map<string, Feed>();
  readonly #socket: ReturnType<typeof createWSClient>;
  readonly client: ReturnType<typeof createTRPCClient<AppRouter>>;
  readonly #answered = new Map<string, Place>();
  #wire: WebSocket | undefined;
  #connected = false;
  /** Whether the line may end: it was cut on purpose, or its user leaves. */
  #mayEnd = false;
  #stops: (() => void)[] = [];

  constructor(at: { url: string; token: string }, books: Books) {
    this.#books = books;
    const keep = (wire: WebSocket) => {
      this.#wire = wire;
    };
    this.#socket = createWSClient({
      url: `${at.url.replace(/^http/, 'ws')}/trpc`,
      connectionParams: { token: at.token },
      WebSocket: socketClass(keep),
      retryDelayMs: () => 50 + Math.random() * 200,
      onOpen: () => this.#isConnected(true),
      onClose: (cause) => this.#lost(cause?.code),
    });
    this.client = createTRPCClient<AppRouter>({ links: [wsLink({ client: this.#socket })] });
  }

  get feeds(): Feed[] {
    return [...this.#feeds.values()];
  }

  /** Opens the inbox, as every application does first, and resolves with its snapshot. */
  async join(): Promise<Snapshot> {
    const { pulse } = this.#books;
    const began = performance.now();
    const snapshot = await this.#first<Snapshot>('inbox', (took, failed) =>
      this.client.feed.inbox.subscribe(
        {},
        {
          onData: ({ data }) => {
            pulse.count('events');
            if (data.type === 'snapshot') took(data);
          },
          onError: failed,
        },
      ),
    );
    pulse.took('connect', performance.now() - began);
    return snapshot;
  }

  /** Opens a channel's feed, from now on or from where an earlier one ended. Resolves at its `opened`. */
  open(channelId: string, resume?: Place): Promise<Feed> {
    const { ledger, pulse } = this.#books;
    let feed: Feed | undefined;
    const openedAt = performance.now();
    const subscribe = (from: Place | undefined, took: (feed: Feed) => void, failed: (error: unknown) => void) =>
      this.client.feed.channel.subscribe(
        { channelId, ...(from && { lastEventId: positionAt(from) }) },
        {
          onData: ({ data: event }) => {
            pulse.count('events');
            if (event.type === 'opened' && !feed) {
              feed = { channelId, booked: ledger.open(channelId, event.head, resume), unread: false };
              this.#feeds.set(channelId, feed);
              took(feed);
            }
            if (!feed) return;
            if (event.type === 'resync') feed.booked.resync();
            if (event.type === 'message.created') this.#got(feed, event.message, openedAt);
          },
          onError: (error) => {
            const last = feed?.booked.last;
            if (!last) failed(error);
            else this.#goOn(error, () => subscribe(last, took, failed));
          },
        },
      );
    return this.#first('feed', (took, failed) => subscribe(resume, took, failed));
  }

  /** Sends once. Throws when there is no answer. */
  async send(channelId: string, body: string, clientMsgId: string = randomUUID()): Promise<Place> {
    const { ledger, pulse, sent } = this.#books;
    const at = performance.now();
    if (!sent.has(clientMsgId)) sent.set(clientMsgId, { by: this, at });
    pulse.count('sends');
    const { position } = await this.call((client) =>
      client.message.send.mutate({ channelId, clientMsgId, body }, { signal: AbortSignal.timeout(PATIENCE_MS) }),
    );
    pulse.took('send', performance.now() - at);
    ledger.stands(channelId, clientMsgId, position);
    const place = placeOf(position);
    ledger.answered(this.#answered.get(channelId), place);
    this.#answered.set(channelId, place);
    return place;
  }

  /** One call that is counted. Throws what the client throws. */
  call<T>(ask: (client: Session['client']) => Promise<T>): Promise<T> {
    this.#books.pulse.count('calls');
    return ask(this.client);
  }

  /** Cuts the line as a train tunnel does: no word of farewell. The client comes back by itself. */
  cut(): void {
    if (this.#wire?.readyState !== WebSocket.OPEN) return;
    this.#books.pulse.cut();
    this.#mayEnd = true;
    this.#wire.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Leaves; once more does nothing. What was booked for its feeds by then they must have had. */
  async close(): Promise<void> {
    for (const { booked } of this.#feeds.values()) booked.close();
    for (const stop of this.#stops) stop();
    this.#mayEnd = true;
    await this.#socket.close();
    this.#isConnected(false);
  }

  #got(feed: Feed, message: { clientMsgId: string; position: string }, openedAt: number): void {
    const { pulse, sent } = this.#books;
    feed.booked.got(message.clientMsgId, message.position);
    feed.unread = true;
    pulse.count('deliveries');
    const origin = sent.get(message.clientMsgId);
    // To somebody else who was looking already: all else is no delivery, but a look at the past.
    if (origin && origin.by !== this && origin.at > openedAt) pulse.took('delivery', performance.now() - origin.at);
  }

  /** To the stock client the refusal of a feed is final, also that of one which comes back after a cut: its user asks again. */
  #goOn(error: unknown, subscribe: () => { unsubscribe(): void }): void {
    if (!mayRetry(error)) {
      this.#books.pulse.error(`feed: ${wordFor(error)}`);
      return;
    }
    const pause = setTimeout(() => this.#stops.push(subscribe().unsubscribe), REOPEN_AFTER_MS);
    this.#stops.push(() => clearTimeout(pause));
  }

  #lost(code: number | undefined): void {
    if (this.#connected && !this.#mayEnd) this.#books.pulse.error(`line lost: ${code ?? 'no code'}`);
    this.#isConnected(false);
  }

  #isConnected(connected: boolean): void {
    if (connected) this.#mayEnd = false;
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#books.pulse.connected(connected ? 1 : -1);
  }

  /** The first event of a subscription, which goes on. */
  #first<T>(
    what: string,
    subscribe: (took: (first: T) => void, failed: (e: unknown) => void) => { unsubscribe(): void },
  ) {
    this.#books.pulse.count('calls');
    return new Promise<T>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${what} did not open`)), PATIENCE_MS);
      const done = () => clearTimeout(late);
      const { unsubscribe } = subscribe(
        (first) => {
          done();
          resolve(first);
        },
        (error) => {
          done();
          reject(error);
        },
      );
      this.#stops.push(() => {
        done();
        unsubscribe();
      });
    });
  }
}
