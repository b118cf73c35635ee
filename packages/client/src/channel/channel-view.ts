import type { ChannelEvent, FailureData, Message, Position } from '@parley/protocol';
import type { ChatApi } from '../chat-api.ts';
import type { ClientClock } from '../clock.ts';
import { failureOf } from '../failure.ts';
import { followFeed } from '../followed-feed.ts';
import type { OutboxItem } from '../outbox/entry.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { People } from '../people.ts';
import { type Random, retryDelayMs } from '../retry-delay.ts';
import { createStore, type Store } from '../store.ts';
import { MessageList, messageKey } from './message-list.ts';
import { mergeShown, type ShownMessage } from './shown-message.ts';

const PAGE_MESSAGES = 50;

export interface ChannelSnapshot {
  /** `closed`: the server refuses the channel, `failure` says why. */
  readonly state: 'loading' | 'ready' | 'closed';
  readonly failure: FailureData | null;
  /** Oldest first; what is still on its way comes last. */
  readonly messages: readonly ShownMessage[];
  /** The newest position that is shown. */
  readonly newest: Position | null;
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
}

export interface ChannelViewOptions {
  readonly channelId: string;
  readonly api: ChatApi;
  readonly outbox: Outbox;
  readonly people: People;
  readonly clock: ClientClock;
  readonly random: Random;
  /** The user's own id, once it is known. */
  readonly self: () => Promise<string>;
  readonly onProblem: (error: unknown) => void;
}

export const EMPTY_CHANNEL: ChannelSnapshot = {
  state: 'loading',
  failure: null,
  messages: [],
  newest: null,
  hasOlder: false,
  isLoadingOlder: false,
};

/**
 * One open channel: history and live messages without gap or repeat, joined with what the outbox still holds. It resumes after a
 * reconnect; where the server cannot bridge the time between, it loads the newest page again.
 */
export class ChannelView {
  readonly #options: ChannelViewOptions;
  readonly #snapshot = createStore<ChannelSnapshot>(EMPTY_CHANNEL);
  #list = new MessageList();
  /** What came while the newest page is being loaded; null at other times. */
  #fresh: MessageList | null = null;
  #settled: readonly OutboxItem[] = [];
  #items: readonly OutboxItem[] = [];
  #selfId = '';
  readonly #known = new WeakMap<Message, ShownMessage>();
  #attempts = 0;
  #isOpen = false;
  #endFeed: () => void = () => undefined;
  #cancelRetry: () => void = () => undefined;
  #forgetItems: () => void = () => undefined;

  constructor(options: ChannelViewOptions) {
    this.#options = options;
  }

  get channelId(): string {
    return this.#options.channelId;
  }

  get store(): Store<ChannelSnapshot> {
    return this.#snapshot;
  }

  run(): void {
    const items = this.#options.outbox.itemsOf(this.channelId);
    this.#isOpen = true;
    this.#forgetItems = items.subscribe(() => this.#takeItems(items.getSnapshot()));
    this.#takeItems(items.getSnapshot());
    this.#endFeed = followFeed({
      ...this.#options,
      path: 'feed.channel',
      input: (lastEventId) => ({
        channelId: this.channelId,
        ...(lastEventId && { lastEventId: asPosition(lastEventId) }),
      }),
      onEvent: (event) => this.#take(event),
      onRefused: (failure) => this.#close(failure),
    });
  }

  stop(): void {
    this.#isOpen = false;
    this.#endFeed();
    this.#cancelRetry();
    this.#forgetItems();
  }

  /** Loads the page before the oldest message. Does nothing while one is on its way or when there is none. */
  async loadOlder(): Promise<void> {
    const { hasOlder, isLoadingOlder } = this.#snapshot.getSnapshot();
    const list = this.#list;
    const before = list.oldest;
    if (!hasOlder || isLoadingOlder || !before) return;
    this.#show({ isLoadingOlder: true });
    try {
      const input = { channelId: this.channelId, before, limit: PAGE_MESSAGES };
      const page = await this.#options.api.call('message.page', input);
      // A resync in between took another list: this page belongs to the old one.
      if (this.#list !== list) return;
      for (const message of page.items) list.add(message);
      this.#show({ hasOlder: page.hasBefore });
    } catch (error) {
      // Scrolling up asks again.
      this.#options.onProblem(error);
    } finally {
      this.#show({ isLoadingOlder: false });
    }
  }

  #close(failure: FailureData): void {
    this.#cancelRetry();
    this.#show({ state: 'closed', failure });
  }

  #take(event: ChannelEvent): void {
    const { outbox, people } = this.#options;
    switch (event.type) {
      case 'opened':
        outbox.sees(event.channelId, event.epoch);
        if (event.persistedTo) this.#persisted(event.persistedTo, event.holes);
        if (!event.resumed || this.#fresh) this.#reload();
        break;
      case 'message.created':
        (this.#fresh ?? this.#list).add(event.message);
        this.#show();
        break;
      case 'message.persisted':
        this.#persisted(event.upTo, event.holes);
        break;
      case 'message.superseded':
        outbox.markSuperseded(event.channelId, event.position, event.by);
        for (const list of this.#lists()) list.supersede(event.position, event.by);
        this.#show();
        break;
      case 'resync':
        this.#reload();
        break;
      case 'member.joined':
      case 'member.updated':
        people.learn([event.member.user]);
        break;
      case 'member.left':
      case 'receipt.updated':
      case 'message.updated':
      case 'message.deleted':
      case 'reaction.changed':
      case 'channel.updated':
      case 'typing.changed':
      case 'presence.changed':
        break;
      default:
        // An event of a newer server: nothing that this client shows.
        event satisfies never;
    }
  }

  #persisted(upTo: Position, holes: readonly Position[]): void {
    this.#options.outbox.markPersisted(this.channelId, upTo, holes);
    for (const list of this.#lists()) list.markPersisted(upTo, holes);
    this.#show();
  }

  #lists(): MessageList[] {
    return this.#fresh ? [this.#list, this.#fresh] : [this.#list];
  }

  /** Takes the newest page in place of what is shown. Live messages that come meanwhile join it: none falls between the two. */
  #reload(): void {
    const fresh = new MessageList();
    this.#fresh = fresh;
    this.#attempts = 0;
    void this.#loadInto(fresh);
  }

  async #loadInto(fresh: MessageList): Promise<void> {
    const { api, self, clock, random } = this.#options;
    try {
      const input = { channelId: this.channelId, limit: PAGE_MESSAGES };
      const [selfId, page] = await Promise.all([self(), api.call('message.page', input)]);
      if (this.#fresh !== fresh || !this.#isOpen) return;
      for (const message of page.items) fresh.add(message);
      this.#selfId = selfId;
      this.#list = fresh;
      this.#fresh = null;
      this.#show({ state: 'ready', failure: null, hasOlder: page.hasBefore });
    } catch (error) {
      if (this.#fresh !== fresh || !this.#isOpen) return;
      const failure = failureOf(error);
      if (failure && !failure.retryable) return this.#close(failure);
      const delayMs = (failure?.retryAfterMs ?? 0) + retryDelayMs(this.#attempts, random);
      this.#attempts += 1;
      this.#cancelRetry();
      this.#cancelRetry = clock.after(delayMs, () => void this.#loadInto(fresh));
    }
  }

  #takeItems(items: readonly OutboxItem[]): void {
    const left = this.#items.filter((item) => item.state !== 'failed' && !items.some((each) => each.id === item.id));
    this.#items = items;
    this.#settled = [...this.#settled, ...left];
    this.#show();
  }

  #show(change: Partial<ChannelSnapshot> = {}): void {
    this.#settled = this.#settled.filter((item) => {
      const key = messageKey({ senderId: this.#selfId, clientMsgId: item.id });
      this.#list.settle(key);
      return !this.#list.has(key);
    });
    const messages = mergeShown({
      messages: this.#list.messages,
      items: this.#items,
      settled: this.#settled,
      selfId: this.#selfId,
      known: this.#known,
    });
    this.#options.people.want([...new Set(messages.map((each) => each.senderId))].filter((id) => id !== ''));
    this.#snapshot.set({ ...this.#snapshot.getSnapshot(), ...change, messages, newest: this.#list.newest });
  }
}

/** The ids of a channel's feed are positions. */
function asPosition(eventId: string): Position {
  return eventId as Position;
}
