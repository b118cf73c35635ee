import { type ChannelEvent, type FailureData, ORIGIN, PAGE_MAX, type Position, parsePosition } from '@parley/protocol';
import type { ChatApi } from '../chat-api.ts';
import { followFeed } from '../followed-feed.ts';
import type { OutboxItem } from '../outbox/entry.ts';
import { createStore, type Store } from '../store.ts';
import { ChannelMembers } from './channel-members.ts';
import type { HistoryPage } from './history.ts';
import { EMPTY_HISTORY, type HistorySnapshot, ShownHistory, type ShownHistoryOptions } from './shown-history.ts';
import { Typists } from './typists.ts';

const PAGE_MESSAGES = 50;
/** Of a longer thread only the first replies are shown. */
const REPLIES_MAX = 1_000;

export interface ChannelSnapshot extends HistorySnapshot {
  /** Who is typing, the user himself left out. */
  readonly typing: readonly string[];
  /** Changes that were refused for good, until they are retried or discarded. Refused messages are among the messages. */
  readonly failed: readonly OutboxItem[];
}

export interface ChannelViewOptions extends Omit<ShownHistoryOptions, 'page' | 'includes'> {
  readonly api: ChatApi;
  /** Told of every event, after the view was. */
  readonly onEvent: (event: ChannelEvent) => void;
}

export const EMPTY_CHANNEL: ChannelSnapshot = { ...EMPTY_HISTORY, typing: [], failed: [] };

/** The replies to one message, while somebody looks at them. */
export interface OpenThread {
  readonly store: Store<HistorySnapshot>;
  close(): void;
}

/**
 * One open channel: history and live messages without gap or repeat, joined with what the outbox still holds; its threads, members and
 * typists. It resumes after a reconnect; where the server cannot bridge the time between, it loads anew.
 */
export class ChannelView {
  readonly members: ChannelMembers;
  readonly #options: ChannelViewOptions;
  readonly #snapshot = createStore<ChannelSnapshot>(EMPTY_CHANNEL);
  readonly #main: ShownHistory;
  readonly #threads = new Set<ShownHistory>();
  readonly #typists: Typists;
  #failed: readonly OutboxItem[] = [];
  #selfId = '';
  /** As the feed began, for what is opened later, and how far it has come. */
  #opened: Extract<ChannelEvent, { type: 'opened' }> | null = null;
  #reachedTo: Position = ORIGIN;
  readonly #forget: (() => void)[] = [];

  constructor(options: ChannelViewOptions) {
    const { api, channelId } = options;
    this.#options = options;
    this.members = new ChannelMembers(options);
    this.#typists = new Typists({ clock: options.clock, onChange: () => this.#show() });
    this.#main = new ShownHistory({
      ...options,
      page: (before) => api.call('message.page', { channelId, limit: PAGE_MESSAGES, ...(before && { before }) }),
      includes: () => true,
    });
  }

  get channelId(): string {
    return this.#options.channelId;
  }

  get store(): Store<ChannelSnapshot> {
    return this.#snapshot;
  }

  run(): void {
    const { outbox, self, onProblem } = this.#options;
    const items = outbox.itemsOf(this.channelId);
    const takeItems = () => {
      const failed = items.getSnapshot().filter((item) => item.state === 'failed' && item.operation.kind !== 'send');
      if (failed.length > 0 || this.#failed.length > 0) this.#failed = failed;
      this.#show();
    };
    self().then((id) => {
      this.#selfId = id;
    }, onProblem);
    this.#forget.push(
      this.#main.store.subscribe(() => this.#show()),
      items.subscribe(takeItems),
    );
    this.#main.run();
    takeItems();
    const endFeed = followFeed({
      ...this.#options,
      path: 'feed.channel',
      input: (lastEventId) => ({
        channelId: this.channelId,
        ...(lastEventId && { lastEventId: asPosition(lastEventId) }),
      }),
      onEvent: (event, id) => this.#take(event, asPosition(id)),
      onRefused: (failure) => this.#close(failure),
    });
    this.#forget.push(endFeed);
  }

  stop(): void {
    for (const history of this.#histories()) history.stop();
    this.#threads.clear();
    this.#typists.clear();
    this.members.stop();
    for (const forget of this.#forget.splice(0)) forget();
  }

  loadOlder(): Promise<void> {
    return this.#main.loadOlder();
  }

  /** Follows the replies to a message until the thread is closed. */
  openThread(messageId: string): OpenThread {
    const thread = new ShownHistory({
      ...this.#options,
      page: () => this.#replies(messageId),
      includes: ({ threadOf }) => threadOf === messageId,
    });
    this.#threads.add(thread);
    thread.run();
    if (this.#opened) thread.take({ ...this.#opened, resumed: false }, this.#reachedTo);
    return {
      store: thread.store,
      close: () => {
        this.#threads.delete(thread);
        thread.stop();
      },
    };
  }

  /** The connection is gone: what is ephemeral is not known any more. */
  disconnected(): void {
    this.#typists.clear();
  }

  async #replies(messageId: string): Promise<HistoryPage> {
    const { api } = this.#options;
    const asked = { channelId: this.channelId, messageId, limit: PAGE_MAX };
    const page = await api.call('message.thread', asked);
    while (page.hasAfter && page.items.length < REPLIES_MAX) {
      const after = page.items.at(-1)?.position;
      const next = await api.call('message.thread', { ...asked, ...(after && { after }) });
      page.items.push(...next.items);
      page.hasAfter = next.hasAfter && next.items.length > 0;
      if (next.persistedOnly) page.persistedOnly = true;
    }
    const { items, persistedOnly = false } = page;
    return { items, hasBefore: false, persistedOnly };
  }

  #histories(): ShownHistory[] {
    return [this.#main, ...this.#threads];
  }

  #close(failure: FailureData): void {
    this.#typists.clear();
    for (const history of this.#histories()) history.close(failure);
  }

  #take(event: ChannelEvent, id: Position): void {
    this.#tellOutbox(event);
    if (event.type === 'opened') this.#opened = event;
    this.#reachedTo = id;
    this.#typists.take(event, this.#selfId);
    this.members.take(event);
    for (const history of this.#histories()) history.take(event, id);
    this.#options.onEvent(event);
  }

  #tellOutbox(event: ChannelEvent): void {
    const { outbox } = this.#options;
    switch (event.type) {
      case 'opened':
        outbox.sees(event.channelId, event.epoch);
        if (event.persistedTo) outbox.markPersisted(event.channelId, event.persistedTo, event.holes);
        break;
      case 'resync':
        if (event.head) outbox.sees(event.channelId, parsePosition(event.head).epoch);
        break;
      case 'message.persisted':
        outbox.markPersisted(event.channelId, event.upTo, event.holes);
        break;
      case 'message.deleted':
        outbox.messageDeleted(event.channelId, event.messageId);
        break;
      case 'message.superseded':
        outbox.markSuperseded(event.channelId, event.position, event.by);
        break;
      default:
        break;
    }
  }

  #show(): void {
    this.#snapshot.set({ ...this.#main.store.getSnapshot(), typing: this.#typists.userIds, failed: this.#failed });
  }
}

/** The ids of a channel's feed are positions. */
function asPosition(eventId: string): Position {
  return eventId as Position;
}
