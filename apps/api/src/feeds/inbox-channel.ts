import {
  type ChannelView,
  comparePlaces,
  eventFor,
  type FeedEntry,
  type FeedNotice,
  headOf,
  type LogPlace,
  lastAfter,
  mentionsOf,
  newestFor,
  positionAt,
  unreadOf,
} from '@parley/domain';
import {
  type ChannelSummary,
  comparePositions,
  formatPosition,
  type InboxEvent,
  type Message,
  type Place,
  type Position,
} from '@parley/protocol';
import type { ChannelHub } from '../hub/channel-hub.ts';
import type { Listener } from '../hub/wake-up.ts';
import { afterEntry, afterEvent, afterRead, type CountedView, countedOf, isMeant } from './counted-view.ts';
import { type Doubt, worse } from './doubt.ts';

/** Whose channel it is. */
export interface ChannelInbox {
  readonly userId: string;
  /** The channel was woken; not told again before it has looked. */
  stirred(channel: InboxChannel): void;
}

/** Where one stands who has seen nothing. */
const NOWHERE: Place = { epoch: 0, n: 0 };
/** None of the user's own entries waits. */
const NONE = { first: 0, last: 0 };

/** One channel of one inbox: counts from places, without asking a store, as long as nothing is in doubt. A connection has ten and more. */
export class InboxChannel implements Listener {
  readonly #inbox: ChannelInbox;
  #channel: ChannelHub | null = null;
  #isStirred = false;
  #view: CountedView | null = null;
  #at: Place = NOWHERE;
  #noticed = 0;
  #lastMessage: Message | null;
  /** The newest position that is known to the user or was told as a mention. */
  #meantAt: Position | null;
  /** What the client was told last. */
  #toldHead: Position | null = null;
  #toldReadTo: Position | null;
  #toldUnread: number;
  #toldMentions: number;
  /** The user's own entries that are not persisted yet, as far as this inbox knows: the first and the last n; 0 when there are none. */
  #waits = NONE;
  #own: InboxEvent[] | null = null;
  #doubt: Doubt = 'view';
  /** Whether the newest end of the user's membership was his own doing. */
  leftByOwnWill = false;

  constructor(inbox: ChannelInbox, summary: ChannelSummary) {
    this.#inbox = inbox;
    this.#lastMessage = summary.lastMessage;
    this.#meantAt = summary.head;
    this.#toldReadTo = summary.readTo;
    this.#toldUnread = summary.unread;
    this.#toldMentions = summary.mentions;
  }

  /** The channel's own: a name of it for each inbox would be as many copies. */
  get channelId(): string {
    return this.#live.channelId;
  }

  /** To be called before anything else, with the channel that it is attached to. */
  follow(channel: ChannelHub): void {
    this.#channel = channel;
    this.#noticed = channel.notices.board.version;
    this.#lastMessage = this.#lastMessage && channel.inCommon.message.of(this.#lastMessage);
    this.#meantAt = this.#meantAt && channel.inCommon.position.of(this.#meantAt);
    this.#toldHead = this.#meantAt;
    if (this.#isStirred) this.#inbox.stirred(this);
  }

  wake(): void {
    if (this.#isStirred) return;
    this.#isStirred = true;
    if (this.#channel) this.#inbox.stirred(this);
  }

  /** Takes a view that was read after the attachment: counting goes on from it. Says whether the last message must be looked up. */
  rest(view: ChannelView): Doubt {
    const channel = this.#live;
    channel.learn(view);
    const missed = !this.#view ? view.headPosition !== this.#toldHead : comparePlaces(headOf(view), this.#at) > 0;
    const { persistedN, head } = view;
    const untold = this.#view?.epoch === view.epoch ? this.#waits : NONE;
    // Some of what is not persisted may be the user's own; what was his and is persisted by now has still to be told.
    this.#waits = head.n > persistedN ? { first: untold.first || persistedN + 1, last: head.n } : untold;
    this.#view = countedOf(view, channel.inCommon);
    this.#at = this.#view.head;
    this.#doubt = 'none';
    if (!missed) return 'none';
    const { newest, tip } = channel.tail;
    if (newest === null || tip === null || comparePlaces(tip, this.#at) < 0) {
      // Nothing is told before the message that goes with it is known.
      this.#doubt = 'summary';
      return 'summary';
    }
    this.#meet(newestFor(newest, this.#inbox.userId));
    return 'none';
  }

  /** Whether what is remembered of it is something that this user wrote. */
  remembers(userId: string): boolean {
    return this.#lastMessage?.senderId === userId;
  }

  /** It should have been looked at and could not be. */
  blur(): void {
    this.#doubt = worse(this.#doubt, 'view');
    this.wake();
  }

  /** Takes what a fresh summary says. */
  refresh(summary: ChannelSummary): void {
    this.#lastMessage = summary.lastMessage && this.#live.inCommon.message.of(summary.lastMessage);
    if (this.#lastMessage) this.#meet(this.#lastMessage);
  }

  /** Takes what was delivered since the last look, and says what cannot be known from it. */
  look(): Doubt {
    const channel = this.#live;
    this.#isStirred = false;
    // What was in doubt stays so until somebody has looked.
    let doubt = this.#doubt;
    let entry = channel.after(this.#at);
    while (this.#view && entry && entry !== 'behind') {
      doubt = worse(doubt, this.#take(entry, this.#view));
      entry = channel.after(this.#at);
    }
    if (entry === 'behind') doubt = worse(doubt, 'view');
    const { board } = channel.notices;
    for (let pinned = board.after(this.#noticed); pinned; pinned = board.after(this.#noticed)) {
      this.#noticed = pinned.version;
      doubt = worse(doubt, this.#hear(pinned.notice));
    }
    this.#doubt = doubt;
    return doubt;
  }

  /** The events of what changed since they were asked for last. */
  news(): InboxEvent[] {
    const events = this.#own ?? [];
    this.#own = null;
    const view = this.#view;
    if (!view) return events;
    const { channelId } = this;
    const { headPosition: head } = view;
    const { at } = view.head;
    const readTo = positionAt(view.readTo);
    const unread = unreadOf(view);
    const mentions = mentionsOf(view);
    if (head !== this.#toldHead || mentions > this.#toldMentions) {
      const activity = { head, unread, mentions, lastMessage: this.#lastMessage };
      events.push({ type: 'channel.activity', channelId, at, ...activity });
    }
    const fewer = unread !== this.#toldUnread || mentions < this.#toldMentions;
    if (readTo !== this.#toldReadTo || (head === this.#toldHead && fewer)) {
      events.push({ type: 'read', channelId, at: view.readTo?.at ?? at, readTo, unread, mentions });
    }
    this.#toldHead = head;
    this.#toldReadTo = readTo;
    this.#toldUnread = unread;
    this.#toldMentions = mentions;
    return [...events, ...this.#persisted(at)];
  }

  get #live(): ChannelHub {
    if (!this.#channel) throw new Error('the channel is not followed yet');
    return this.#channel;
  }

  #take(entry: FeedEntry, view: CountedView): Doubt {
    const begins = entry.place.epoch !== view.epoch;
    this.#at = entry.place;
    const event = eventFor(entry, this.#inbox.userId);
    if (event?.type === 'message.created') this.#meet(event.message);
    else this.#lastMessage = lastAfter(this.#lastMessage, event);
    if (event?.type === 'member.left' && event.userId === this.#inbox.userId) {
      this.leftByOwnWill = entry.actorId === this.#inbox.userId;
      return 'summary';
    }
    // Counts of another epoch, or of Postgres, do not compare with those of this view.
    if (begins || entry.m === null) return 'view';
    const place: LogPlace = { ...entry.place, m: entry.m, at: entry.at };
    const isOwn = event?.type === 'message.created' && event.message.senderId === this.#inbox.userId;
    if (isOwn || entry.actorId === this.#inbox.userId)
      this.#waits = { first: this.#waits.first || place.n, last: place.n };
    const counted = afterEntry(view, entry, { place, isOwn });
    this.#view = event ? afterEvent(counted, event, this.#inbox.userId) : counted;
    return 'none';
  }

  /** Takes a message that may be new to the user, and tells him once when he is meant. */
  #meet(message: Message): void {
    this.#lastMessage = message;
    if (!isMeant(message, this.#inbox.userId) || message.deletedAt !== null) return;
    if (this.#meantAt !== null && comparePositions(message.position, this.#meantAt) <= 0) return;
    this.#meantAt = message.position;
    this.#say({ type: 'mention', channelId: this.channelId, at: message.sentAt, message });
  }

  #say(event: InboxEvent): void {
    this.#own ??= [];
    this.#own.push(event);
  }

  #hear(notice: FeedNotice): Doubt {
    switch (notice.type) {
      case 'read':
        if (notice.userId === this.#inbox.userId) this.#view = this.#view && afterRead(this.#view, notice.place);
        return 'none';
      case 'hole': {
        const { senderId, clientMsgId, by, reason } = notice.hole;
        const { event, place } = notice;
        if (senderId === this.#inbox.userId && by !== null) this.#say(event);
        else if (senderId === this.#inbox.userId && clientMsgId !== null) {
          this.#say({ type: 'message.rejected', channelId: this.channelId, at: place.at, clientMsgId, reason });
        }
        return event.position === this.#lastMessage?.position ? 'summary' : 'view';
      }
      case 'persisted':
      case 'delivered':
        return 'none';
    }
  }

  #persisted(at: number): InboxEvent[] {
    const { marks } = this.#live.notices;
    const { first, last } = this.#waits;
    if (first === 0 || marks.epoch !== this.#view?.epoch || marks.n < first) return [];
    this.#waits = marks.n < last ? { first: marks.n + 1, last } : NONE;
    const upTo = formatPosition({ epoch: marks.epoch, n: marks.n });
    return [{ type: 'message.persisted', channelId: this.channelId, at, upTo, holes: marks.holes() }];
  }
}
