import {
  type Channel,
  type ChannelEvent,
  type ChannelSummary,
  comparePositions,
  type InboxEvent,
  type Member,
  type Message,
  type Position,
} from '@parley/protocol';
import type { Chatter } from './stack.ts';

type Cursors = { deliveredTo: Position | null; readTo: Position | null };

/** A channel as one reader knows it by its events alone, from one fetch on. */
export class SeenChannel {
  readonly messages = new Map<string, Message>();
  readonly roles = new Map<string, string>();
  readonly cursors = new Map<string, Cursors>();
  readonly resyncs: string[] = [];
  lastEventId: Position | null = null;
  opened = 0;
  ended = false;
  channel: Channel;
  #subscription: { unsubscribe(): void } | null = null;
  readonly #chatter: Chatter;

  constructor(chatter: Chatter, channel: Channel, members: readonly Member[]) {
    this.#chatter = chatter;
    this.channel = channel;
    for (const member of members) this.#meet(member);
  }

  follow(): void {
    const { lastEventId } = this;
    const input = { channelId: this.channel.id, ...(lastEventId && { lastEventId }) };
    this.#subscription = this.#chatter.trpc.feed.channel.subscribe(input, {
      onData: ({ id, data }) => {
        this.lastEventId = id as Position;
        this.take(data);
      },
      onError: () => {
        this.ended = true;
      },
    });
  }

  leave(): void {
    this.#subscription?.unsubscribe();
  }

  take(event: ChannelEvent): void {
    switch (event.type) {
      case 'opened':
        // Cursors take no position: what was told while nobody listened is asked for.
        if (this.opened++ > 0) this.#askForCursors().catch(() => this.leave());
        break;
      case 'message.created':
        this.messages.set(event.message.id, event.message);
        this.#count(event.thread);
        this.#raise(event.message.senderId, { deliveredTo: event.message.position, readTo: event.message.position });
        break;
      case 'message.updated':
        this.messages.set(event.message.id, event.message);
        break;
      case 'message.deleted': {
        const nothing = { body: '', reactions: [], attachments: [], mentions: [], encrypted: null };
        this.#change(event.messageId, { ...nothing, deletedAt: event.deletedAt });
        this.#count(event.thread);
        break;
      }
      case 'reaction.changed':
        this.#change(event.messageId, { reactions: event.reactions });
        break;
      case 'channel.updated':
        this.channel = { ...event.channel, memberCount: this.channel.memberCount };
        break;
      case 'member.joined':
      case 'member.updated':
        this.#meet(event.member);
        break;
      case 'member.left':
        this.roles.delete(event.userId);
        this.cursors.delete(event.userId);
        break;
      case 'receipt.updated':
        this.#raise(event.userId, event);
        break;
      case 'resync':
        this.resyncs.push(event.reason);
        break;
      default:
        break;
    }
  }

  /** What is compared: everything that events tell. */
  state() {
    const { name, topic, archivedAt } = this.channel;
    const messages = [...this.messages.values()].sort((a, b) => comparePositions(a.position, b.position));
    return {
      channel: { name, topic, archivedAt, memberCount: this.roles.size },
      messages: messages.map(({ persisted: _, ...message }) => message),
      members: [...this.roles].sort(),
      cursors: [...this.cursors].sort(),
    };
  }

  /** The same, asked of the server. */
  static async fetch(chatter: Chatter, channelId: string) {
    const [summary, page, list] = await Promise.all([
      chatter.trpc.channel.get.query({ channelId }),
      chatter.trpc.message.page.query({ channelId, limit: 100 }),
      chatter.trpc.member.list.query({ channelId, limit: 100 }),
    ]);
    const fetched = new SeenChannel(chatter, summary, list.items);
    for (const message of page.items) fetched.messages.set(message.id, message);
    const state = fetched.state();
    return { ...state, channel: { ...state.channel, memberCount: summary.memberCount }, counts: countsOf(summary) };
  }

  #meet({ userId, role, deliveredTo, readTo }: Member): void {
    const isNew = !this.roles.has(userId);
    this.roles.set(userId, role);
    if (isNew) this.cursors.set(userId, { deliveredTo, readTo });
  }

  async #askForCursors(): Promise<void> {
    const { items } = await this.#chatter.trpc.member.list.query({ channelId: this.channel.id, limit: 100 });
    for (const member of items) this.#raise(member.userId, member);
  }

  #change(messageId: string, change: Partial<Message>): void {
    const message = this.messages.get(messageId);
    if (message) this.messages.set(messageId, { ...message, ...change });
  }

  #count(thread: { messageId: string; replyCount: number } | undefined): void {
    if (thread) this.#change(thread.messageId, { replyCount: thread.replyCount });
  }

  #raise(userId: string, { deliveredTo, readTo }: Cursors): void {
    const known = this.cursors.get(userId);
    if (!known) return;
    this.cursors.set(userId, {
      deliveredTo: later(known.deliveredTo, deliveredTo),
      readTo: later(known.readTo, readTo),
    });
  }
}

function later(a: Position | null, b: Position | null): Position | null {
  if (!a || !b) return a ?? b;
  return comparePositions(a, b) < 0 ? b : a;
}

export function countsOf({ unread, mentions, head, readTo, lastMessage }: ChannelSummary) {
  return { unread, mentions, head, readTo, last: lastMessage && { id: lastMessage.id, body: lastMessage.body } };
}

/** A user's counts as his inbox tells them. */
export class SeenInbox {
  readonly counts = new Map<string, ReturnType<typeof countsOf>>();
  /** What it was told of each channel, in order: says how it came to a count that is wrong. */
  readonly told = new Map<string, string[]>();
  ready = false;
  /** Why it hears nothing any more. */
  ended: unknown = null;
  readonly #subscription: { unsubscribe(): void };

  constructor(chatter: Chatter) {
    this.#subscription = chatter.trpc.feed.inbox.subscribe(
      {},
      {
        onData: ({ data }) => this.#take(data),
        onError: (error) => {
          this.ended = error;
        },
        onComplete: () => {
          this.ended = 'completed';
        },
      },
    );
  }

  leave(): void {
    this.#subscription.unsubscribe();
  }

  #take(event: InboxEvent): void {
    if ('channelId' in event) {
      const told = this.told.get(event.channelId) ?? [];
      this.told.set(event.channelId, [...told, event.type]);
    }
    if (event.type === 'snapshot') {
      this.ready = true;
      for (const summary of event.channels) this.counts.set(summary.id, countsOf(summary));
    } else if (event.type === 'channel.added') {
      this.counts.set(event.channelId, countsOf(event.channel));
    } else if (event.type === 'channel.removed') {
      this.counts.delete(event.channelId);
    } else if (event.type === 'channel.activity') {
      const { unread, mentions, head, lastMessage } = event;
      const last = lastMessage && { id: lastMessage.id, body: lastMessage.body };
      this.#change(event.channelId, { unread, mentions, head, last });
    } else if (event.type === 'read') {
      const { unread, mentions = 0, readTo } = event;
      this.#change(event.channelId, { unread, mentions, readTo });
    }
  }

  #change(channelId: string, change: Partial<ReturnType<typeof countsOf>>): void {
    const known = this.counts.get(channelId);
    if (known) this.counts.set(channelId, { ...known, ...change });
  }
}
