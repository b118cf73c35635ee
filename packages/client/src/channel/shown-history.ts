import { type ChannelEvent, comparePositions, type FailureData, type Message, type Position } from '@parley/protocol';
import type { ClientClock } from '../clock.ts';
import type { OutboxItem } from '../outbox/entry.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { People } from '../people.ts';
import type { Random } from '../retry-delay.ts';
import { createStore, type Store } from '../store.ts';
import { History, type HistoryPage, type HistoryState } from './history.ts';
import { messageKey } from './message-list.ts';
import { mergeShown, type ShownMessage } from './shown-message.ts';

export interface HistorySnapshot extends HistoryState {
  /** Oldest first; what is still on its way comes last. */
  readonly messages: readonly ShownMessage[];
  /** The newest position that is shown. */
  readonly newest: Position | null;
}

export interface ShownHistoryOptions {
  readonly channelId: string;
  readonly outbox: Outbox;
  readonly people: People;
  readonly clock: ClientClock;
  readonly random: Random;
  /** The user's own id, once it is known. */
  readonly self: () => Promise<string>;
  readonly onProblem: (error: unknown) => void;
  /** The page that ends before a position; null: the newest one. */
  readonly page: (before: Position | null) => Promise<HistoryPage>;
  /** Whether a message belongs here: one of the log, or one that is still the outbox's. */
  readonly includes: (message: Pick<Message, 'threadOf'>) => boolean;
}

export const EMPTY_HISTORY: HistorySnapshot = {
  state: 'loading',
  failure: null,
  messages: [],
  newest: null,
  hasOlder: false,
  isLoadingOlder: false,
};

/** A history as its user sees it: joined with what his outbox holds, sends and changes, until the server has told of them. */
export class ShownHistory {
  readonly #options: ShownHistoryOptions;
  readonly #snapshot = createStore(EMPTY_HISTORY);
  readonly #history: History;
  readonly #known = new WeakMap<Message, ShownMessage>();
  #settled: readonly OutboxItem[] = [];
  #items: readonly OutboxItem[] = [];
  #selfId = '';
  readonly #forget: (() => void)[] = [];

  constructor(options: ShownHistoryOptions) {
    this.#options = options;
    this.#history = new History({
      ...options,
      page: async (before) => {
        const [selfId, page] = await Promise.all([options.self(), options.page(before)]);
        this.#selfId = selfId;
        return page;
      },
      onChange: () => this.#show(),
    });
  }

  get store(): Store<HistorySnapshot> {
    return this.#snapshot;
  }

  run(): void {
    const { outbox, channelId } = this.#options;
    const items = outbox.itemsOf(channelId);
    const take = () => {
      this.#items = items.getSnapshot().filter((item) => this.#concerns(item));
      this.#show();
    };
    this.#forget.push(
      outbox.observe(channelId, (settled) => {
        this.#settled = [...this.#settled, ...settled.filter((item) => this.#concerns(item))];
      }),
      items.subscribe(take),
    );
    take();
  }

  stop(): void {
    this.#history.stop();
    for (const forget of this.#forget.splice(0)) forget();
  }

  close(failure: FailureData): void {
    this.#history.close(failure);
  }

  take(event: ChannelEvent, id: Position): void {
    this.#history.take(event, id);
  }

  loadOlder(): Promise<void> {
    return this.#history.loadOlder();
  }

  #concerns({ operation }: OutboxItem): boolean {
    return operation.kind !== 'send' || this.#options.includes({ threadOf: operation.draft.threadOf ?? null });
  }

  #show(): void {
    const { list, state } = this.#history;
    const { reachedTo } = list;
    this.#settled = this.#settled.filter((item) => {
      const { acceptance, operation } = item;
      if (operation.kind !== 'send') return acceptance !== null && comparePositions(acceptance.position, reachedTo) > 0;
      const key = messageKey({ senderId: this.#selfId, clientMsgId: item.id });
      list.settle(key);
      return !list.has(key);
    });
    const before = this.#snapshot.getSnapshot();
    const parts = { items: this.#items, settled: this.#settled, selfId: this.#selfId, known: this.#known };
    const messages = mergeShown({ messages: list.messages, reachedTo, ...parts });
    this.#options.people.want([...new Set(messages.map((each) => each.senderId))].filter((id) => id !== ''));
    const after = { ...state, messages: isSameList(before.messages, messages) ? before.messages : messages };
    const { newest } = list;
    if (before.messages !== after.messages || before.newest !== newest || !isSameState(before, state)) {
      this.#snapshot.set({ ...after, newest });
    }
  }
}

function isSameList(before: readonly ShownMessage[], after: readonly ShownMessage[]): boolean {
  return before.length === after.length && before.every((each, at) => each === after[at]);
}

function isSameState(before: HistoryState, after: HistoryState): boolean {
  const { state, failure, hasOlder, isLoadingOlder } = after;
  return (
    before.state === state &&
    before.failure === failure &&
    before.hasOlder === hasOlder &&
    before.isLoadingOlder === isLoadingOlder
  );
}
