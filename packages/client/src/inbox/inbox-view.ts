import type { ChannelSummary, InboxEvent } from '@parley/protocol';
import type { ChatApi } from '../chat-api.ts';
import type { ClientClock } from '../clock.ts';
import { followFeed } from '../followed-feed.ts';
import type { People } from '../people.ts';
import type { Random } from '../retry-delay.ts';
import { createStore, type Store } from '../store.ts';
import {
  changed,
  EMPTY_INBOX,
  type InboxSnapshot,
  inboxAfter,
  withChannel,
  withoutAnnouncement,
} from './inbox-snapshot.ts';

/** Members who come in numbers cause one look at their channel. */
const GATHER_MS = 300;

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
  readonly #snapshot = createStore(EMPTY_INBOX);
  readonly #refreshing = new Set<string>();
  #isOver = false;
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
      onRefused: (failure) => this.#snapshot.set({ ...this.#snapshot.getSnapshot(), state: 'closed', failure }),
    });
  }

  stop(): void {
    this.#isOver = true;
    this.#endFeed();
  }

  /** Shows a channel that this client has just made or found, without waiting to be told of it. */
  add(channel: ChannelSummary): void {
    this.#options.people.learn(channel.members);
    this.#snapshot.set(withChannel(this.#snapshot.getSnapshot(), channel));
  }

  /** Shows what became known of a channel elsewhere. One that is not listed stays so. */
  change(channelId: string, change: Partial<ChannelSummary>): void {
    this.#snapshot.set(changed(this.#snapshot.getSnapshot(), channelId, change));
  }

  /** Asks again what a channel is: who is in it, and as what. */
  refresh(channelId: string): void {
    if (this.#refreshing.has(channelId)) return;
    this.#refreshing.add(channelId);
    this.#options.clock.after(GATHER_MS, () => void this.#refresh(channelId));
  }

  /** Mutes a channel until a time, or with null no more. Shown at once; taken back, and thrown, when it fails. */
  async mute(channelId: string, until: number | null): Promise<void> {
    const { api, clock } = this.#options;
    const before = this.#snapshot.getSnapshot().channels.find((channel) => channel.id === channelId)?.muted ?? false;
    this.change(channelId, { muted: until !== null && until > clock.now() });
    try {
      const { muted } = await api.call('channel.mute', { channelId, until });
      this.change(channelId, { muted });
    } catch (error) {
      this.change(channelId, { muted: before });
      throw error;
    }
  }

  dismissAnnouncement(announcementId: string): void {
    this.#snapshot.set(withoutAnnouncement(this.#snapshot.getSnapshot(), announcementId));
  }

  #take(event: InboxEvent): void {
    const { people } = this.#options;
    if (event.type === 'snapshot') {
      people.learn(event.channels.flatMap((channel) => channel.members));
      void this.#askForInvitations();
    }
    if (event.type === 'channel.added') people.learn(event.channel.members);
    if (event.type === 'channel.activity' && !this.#has(event.channelId)) void this.#fetch(event.channelId);
    this.#snapshot.set(inboxAfter(this.#snapshot.getSnapshot(), event));
  }

  async #askForInvitations(): Promise<void> {
    try {
      const invitations = await this.#options.api.call('channel.invitations', {});
      if (!this.#isOver) this.#snapshot.set({ ...this.#snapshot.getSnapshot(), invitations });
    } catch (error) {
      this.#options.onProblem(error);
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

  async #refresh(channelId: string): Promise<void> {
    this.#refreshing.delete(channelId);
    if (this.#isOver || !this.#has(channelId)) return;
    try {
      const { people, api } = this.#options;
      const { name, topic, avatarUrl, archivedAt, memberCount, members, role, muted } = await api.call('channel.get', {
        channelId,
      });
      people.learn(members);
      // Not the counts: the feed tells them, and may have told newer ones meanwhile.
      this.change(channelId, { name, topic, avatarUrl, archivedAt, memberCount, members, role, muted });
    } catch (error) {
      this.#options.onProblem(error);
    }
  }

  #has(channelId: string): boolean {
    return this.#snapshot.getSnapshot().channels.some((each) => each.id === channelId);
  }
}
