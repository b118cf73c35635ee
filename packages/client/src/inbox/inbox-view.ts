import type { ChannelSummary, FailureData, InboxEvent } from '@parley/protocol';
import type { ChatApi } from '../chat-api.ts';
import type { ClientClock } from '../clock.ts';
import { followFeed } from '../followed-feed.ts';
import type { People } from '../people.ts';
import type { Random } from '../retry-delay.ts';
import { createStore, type Store } from '../store.ts';

/** A store of the server's whose loss it lives with. */
export type DegradedStore = Extract<InboxEvent, { type: 'degraded' }>['store'];

export interface InboxSnapshot {
  readonly state: 'loading' | 'ready' | 'closed';
  readonly failure: FailureData | null;
  /** Newest activity first. */
  readonly channels: readonly ChannelSummary[];
  readonly degraded: readonly DegradedStore[];
}

export interface InboxViewOptions {
  readonly api: ChatApi;
  readonly people: People;
  readonly clock: ClientClock;
  readonly random: Random;
  /** Told of every event, before the view is. */
  readonly onEvent: (event: InboxEvent) => void;
  readonly onProblem: (error: unknown) => void;
}

/** The user's channels, with what is unread in each: a snapshot on every connection, then what changes. */
export class InboxView {
  readonly #options: InboxViewOptions;
  readonly #snapshot = createStore<InboxSnapshot>({ state: 'loading', failure: null, channels: [], degraded: [] });
  #endFeed: () => void = () => undefined;

  constructor(options: InboxViewOptions) {
    this.#options = options;
  }

  get store(): Store<InboxSnapshot> {
    return this.#snapshot;
  }

  run(): void {
    this.#endFeed = followFeed({
      ...this.#options,
      path: 'feed.inbox',
      input: () => ({}),
      onEvent: (event) => {
        this.#options.onEvent(event);
        this.#take(event);
      },
      onRefused: (failure) => this.#set({ state: 'closed', failure }),
    });
  }

  stop(): void {
    this.#endFeed();
  }

  /** Shows a channel that this client has just made or found, without waiting to be told of it. */
  add(channel: ChannelSummary): void {
    this.#options.people.learn(channel.members);
    const others = this.#channels().filter((each) => each.id !== channel.id);
    this.#set({ channels: [...others, channel].sort(byActivity) });
  }

  #take(event: InboxEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.#options.people.learn(event.channels.flatMap((channel) => channel.members));
        this.#set({ state: 'ready', failure: null, channels: [...event.channels].sort(byActivity), degraded: [] });
        break;
      case 'channel.added':
        this.add(event.channel);
        break;
      case 'channel.removed':
        this.#set({ channels: this.#channels().filter((each) => each.id !== event.channelId) });
        break;
      case 'channel.activity': {
        const { head, unread, mentions, lastMessage } = event;
        if (!this.#change(event.channelId, { head, unread, mentions, lastMessage })) void this.#fetch(event.channelId);
        break;
      }
      case 'read':
        this.#change(event.channelId, { readTo: event.readTo, unread: event.unread });
        break;
      case 'degraded':
        this.#set({ degraded: [...this.#degradedBut(event.store), event.store] });
        break;
      case 'recovered':
        this.#set({ degraded: this.#degradedBut(event.store) });
        break;
      case 'message.persisted':
      case 'message.superseded':
      case 'message.rejected':
      case 'channel.invited':
      case 'mention':
      case 'announcement':
      case 'drain':
        break;
      default:
        // An event of a newer server: nothing that this client shows.
        event satisfies never;
    }
  }

  /** A channel beyond the snapshot's first page came to life. */
  async #fetch(channelId: string): Promise<void> {
    try {
      this.add(await this.#options.api.call('channel.get', { channelId }));
    } catch (error) {
      this.#options.onProblem(error);
    }
  }

  #change(channelId: string, change: Partial<ChannelSummary>): boolean {
    const channel = this.#channels().find((each) => each.id === channelId);
    if (!channel) return false;
    this.add({ ...channel, ...change });
    return true;
  }

  #channels(): readonly ChannelSummary[] {
    return this.#snapshot.getSnapshot().channels;
  }

  #degradedBut(store: DegradedStore): DegradedStore[] {
    return this.#snapshot.getSnapshot().degraded.filter((each) => each !== store);
  }

  #set(change: Partial<InboxSnapshot>): void {
    this.#snapshot.set({ ...this.#snapshot.getSnapshot(), ...change });
  }
}

function byActivity(a: ChannelSummary, b: ChannelSummary): number {
  return lastActivity(b) - lastActivity(a) || (a.id < b.id ? -1 : 1);
}

function lastActivity(channel: ChannelSummary): number {
  return Math.max(channel.createdAt, channel.lastMessage?.sentAt ?? 0);
}
