import type { Answer, ChannelEvent, FailureData, Message, Position } from '@parley/protocol';
import type { ClientClock } from '../clock.ts';
import { failureOf } from '../failure.ts';
import { type Random, retryDelayMs } from '../retry-delay.ts';
import { changesOf } from './message-change.ts';
import { MessageList } from './message-list.ts';

/** What is needed of a page of messages. */
export type HistoryPage = Pick<Answer<'message.page'>, 'items' | 'hasBefore' | 'persistedOnly'>;

export interface HistoryOptions {
  /** The page that ends before a position; null: the newest one. */
  readonly page: (before: Position | null) => Promise<HistoryPage>;
  /** Whether a message of the channel belongs here. */
  readonly includes: (message: Message) => boolean;
  readonly clock: ClientClock;
  readonly random: Random;
  readonly onProblem: (error: unknown) => void;
  /** What is here has changed. */
  readonly onChange: () => void;
}

/** What changes no message, and may come often. */
const EPHEMERAL: ReadonlySet<ChannelEvent['type']> = new Set(['typing.changed', 'presence.changed', 'receipt.updated']);

/** How much of a history is here. */
export interface HistoryState {
  /** `closed`: the server refuses it, `failure` says why. */
  readonly state: 'loading' | 'ready' | 'closed';
  readonly failure: FailureData | null;
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
}

/** Messages of one channel, from pages and from its feed, without gap or repeat. What the feed cannot bridge is loaded anew. */
export class History {
  readonly #options: HistoryOptions;
  #state: HistoryState = { state: 'loading', failure: null, hasOlder: false, isLoadingOlder: false };
  #list = new MessageList();
  /** What came while the newest page is being loaded; null at other times. */
  #fresh: MessageList | null = null;
  #attempts = 0;
  #cancelRetry: () => void = () => undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  get list(): MessageList {
    return this.#list;
  }

  get state(): HistoryState {
    return this.#state;
  }

  stop(): void {
    this.#fresh = null;
    this.#cancelRetry();
  }

  /** The server refuses the channel. What is here stays to be seen. */
  close(failure: FailureData): void {
    this.stop();
    this.#set({ state: 'closed', failure });
  }

  /** Takes an event of the channel's feed; `id` is the position that the feed has reached with it. */
  take(event: ChannelEvent, id: Position): void {
    switch (event.type) {
      case 'opened':
        if (!event.resumed || this.#fresh) this.#reload();
        if (event.persistedTo) this.#persisted(event.persistedTo, event.holes);
        break;
      case 'resync':
        this.#reload();
        break;
      case 'message.persisted':
        this.#persisted(event.upTo, event.holes);
        break;
      case 'message.superseded': {
        const wasMessage = this.#lists().map((list) => list.supersede(event.position, event.by));
        // A change that did not come to be: what it made of a message is not so.
        if (event.by === null && !wasMessage.includes(true)) this.#reload();
        break;
      }
      default:
        this.#change(event);
    }
    this.#newest().reached(id);
    if (!EPHEMERAL.has(event.type)) this.#options.onChange();
  }

  /** Loads the page before the oldest message. Does nothing while one is on its way or when there is none. */
  async loadOlder(): Promise<void> {
    const { hasOlder, isLoadingOlder } = this.#state;
    const list = this.#list;
    const before = list.oldest;
    if (!hasOlder || isLoadingOlder || !before) return;
    this.#set({ isLoadingOlder: true });
    const join = list.awaitPage();
    try {
      const page = await this.#options.page(before);
      join(page.items);
      // A resync in between took another list: this page belongs to the old one.
      if (this.#list !== list) return;
      this.#set({ hasOlder: page.hasBefore });
      if (page.persistedOnly) this.#loadAgain();
    } catch (error) {
      join([]);
      // Scrolling up asks again.
      this.#options.onProblem(error);
    } finally {
      this.#set({ isLoadingOlder: false });
    }
  }

  #change(event: ChannelEvent): void {
    for (const list of this.#lists()) {
      for (const change of changesOf(event)) list.change(change);
    }
    if (event.type === 'message.created' && this.#options.includes(event.message)) this.#newest().add(event.message);
  }

  #persisted(upTo: Position, holes: readonly Position[]): void {
    for (const list of this.#lists()) list.markPersisted(upTo, holes);
  }

  #newest(): MessageList {
    return this.#fresh ?? this.#list;
  }

  #lists(): MessageList[] {
    return this.#fresh ? [this.#list, this.#fresh] : [this.#list];
  }

  /** Takes the newest page in place of what is shown. Live messages that come meanwhile join it: none falls between the two. */
  #reload(): void {
    this.#attempts = 0;
    this.#loadFresh();
  }

  #loadFresh(): void {
    const fresh = new MessageList();
    this.#fresh = fresh;
    this.#cancelRetry();
    void this.#loadInto(fresh, fresh.awaitPage());
  }

  async #loadInto(fresh: MessageList, join: (messages: readonly Message[]) => void): Promise<void> {
    const { page, clock } = this.#options;
    try {
      const { items, hasBefore, persistedOnly } = await page(null);
      if (this.#fresh !== fresh) return;
      join(items);
      this.#list = fresh;
      this.#fresh = null;
      this.#set({ state: 'ready', failure: null, hasOlder: hasBefore });
      if (persistedOnly) this.#loadAgain();
    } catch (error) {
      if (this.#fresh !== fresh) return;
      const failure = failureOf(error);
      if (failure && !failure.retryable) return this.close(failure);
      this.#cancelRetry = clock.after(this.#delayMs(failure), () => void this.#loadInto(fresh, join));
    }
  }

  /** The server had only Postgres to ask: what is missing no feed tells, for it begins after it. */
  #loadAgain(): void {
    this.#cancelRetry();
    this.#cancelRetry = this.#options.clock.after(this.#delayMs(null), () => this.#loadFresh());
  }

  #delayMs(failure: FailureData | null): number {
    const delayMs = (failure?.retryAfterMs ?? 0) + retryDelayMs(this.#attempts, this.#options.random);
    this.#attempts += 1;
    return delayMs;
  }

  #set(change: Partial<HistoryState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange();
  }
}
