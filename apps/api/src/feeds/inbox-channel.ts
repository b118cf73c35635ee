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
  type ChannelEvent,
  type ChannelSummary,
  comparePositions,
  formatPosition,
  type InboxEvent,
  type Message,
  type Place,
  type Position,
} from '@parley/protocol';
import type { Attachment } from '../hub/attachment.ts';

/** What an inbox cannot work out by itself after it has looked. */
export type Doubt =
  /** Nothing. */
  | 'none'
  /** Its view of the channel: another epoch, a hole, a stretch that it did not see. */
  | 'view'
  /** Whether the user is a member, or what the last message is. */
  | 'summary';

/** Where one stands who has seen nothing. */
const NOWHERE: Place = { epoch: 0, n: 0 };
/** None of the user's own entries waits. */
const NONE = { first: 0, last: 0 };

/** One channel of one inbox: counts from places, without asking a store, as long as nothing is in doubt. */
export class InboxChannel {
  readonly channelId: string;
  readonly attachment: Attachment;
  readonly #userId: string;
  #view: ChannelView | null = null;
  #at: Place = NOWHERE;
  #noticed: number;
  #lastMessage: Message | null;
  /** The newest position that is known to the user or was told as a mention. */
  #meantAt: Position | null;
  /** What the client was told last. */
  #told: { head: Position | null; readTo: Position | null; unread: number; mentions: number };
  /** The user's own entries that are not persisted yet, as far as this inbox knows: the first and the last n; 0 when there are none. */
  #waits = NONE;
  #own: InboxEvent[] | null = null;
  #doubt: Doubt = 'view';
  /** Whether the newest end of the user's membership was his own doing. */
  leftByOwnWill = false;

  constructor(userId: string, attachment: Attachment, summary: ChannelSummary) {
    this.#userId = userId;
    this.channelId = summary.id;
    this.attachment = attachment;
    this.#noticed = attachment.channel.notices.board.version;
    this.#lastMessage = summary.lastMessage;
    this.#meantAt = summary.head;
    const { head, readTo, unread, mentions } = summary;
    this.#told = { head, readTo, unread, mentions };
  }

  /** Takes a view that was read after the attachment: counting goes on from it. Says whether the last message must be looked up. */
  rest(view: ChannelView): Doubt {
    const { channel } = this.attachment;
    channel.learn(view);
    const missed = !this.#view ? view.headPosition !== this.#told.head : comparePlaces(headOf(view), this.#at) > 0;
    const { persistedN, head } = view;
    const untold = this.#view?.epoch === view.epoch ? this.#waits : NONE;
    // Some of what is not persisted may be the user's own; what was his and is persisted by now has still to be told.
    this.#waits = head.n > persistedN ? { first: untold.first || persistedN + 1, last: head.n } : untold;
    this.#view = view;
    this.#at = headOf(view);
    this.#doubt = 'none';
    if (!missed) return 'none';
    const { newest, tip } = channel.tail;
    if (newest === null || tip === null || comparePlaces(tip, this.#at) < 0) {
      // Nothing is told before the message that goes with it is known.
      this.#doubt = 'summary';
      return 'summary';
    }
    this.#meet(newestFor(newest, this.#userId));
    return 'none';
  }

  /** Whether what is remembered of it is something that this user wrote. */
  remembers(userId: string): boolean {
    return this.#lastMessage?.senderId === userId;
  }

  /** It should have been looked at and could not be. */
  blur(): void {
    this.#doubt = worse(this.#doubt, 'view');
  }

  /** Takes what a fresh summary says. */
  refresh(summary: ChannelSummary): void {
    this.#lastMessage = summary.lastMessage;
    if (summary.lastMessage) this.#meet(summary.lastMessage);
  }

  /** Takes what was delivered since the last look, and says what cannot be known from it. */
  look(): Doubt {
    const { channel } = this.attachment;
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
    const now = {
      head: view.headPosition,
      readTo: positionAt(view.readTo),
      unread: unreadOf(view),
      mentions: mentionsOf(view),
    };
    const { channelId } = this;
    const { at } = view.head;
    const { head, unread, mentions } = now;
    if (head !== this.#told.head || mentions > this.#told.mentions) {
      const activity = { head, unread, mentions, lastMessage: this.#lastMessage };
      events.push({ type: 'channel.activity', channelId, at, ...activity });
    }
    if (now.readTo !== this.#told.readTo || (now.head === this.#told.head && unread !== this.#told.unread)) {
      events.push({ type: 'read', channelId, at: view.readTo?.at ?? at, readTo: now.readTo, unread });
    }
    this.#told = now;
    const persisted = this.#persisted(at);
    return persisted ? [...events, persisted] : events;
  }

  #take(entry: FeedEntry, view: ChannelView): Doubt {
    const begins = entry.place.epoch !== view.epoch;
    this.#at = entry.place;
    const event = eventFor(entry, this.#userId);
    if (event?.type === 'message.created') this.#meet(event.message);
    else this.#lastMessage = lastAfter(this.#lastMessage, event);
    if (event?.type === 'member.left' && event.userId === this.#userId) {
      this.leftByOwnWill = entry.actorId === this.#userId;
      return 'summary';
    }
    // Counts of another epoch, or of Postgres, do not compare with those of this view.
    if (begins || entry.m === null) return 'view';
    const place: LogPlace = { ...entry.place, m: entry.m, at: entry.at };
    const isOwn = event?.type === 'message.created' && event.message.senderId === this.#userId;
    if (isOwn || entry.actorId === this.#userId) this.#waits = { first: this.#waits.first || place.n, last: place.n };
    // A send reads up to itself.
    this.#view = { ...view, head: place, headPosition: entry.id, readTo: isOwn ? place : view.readTo };
    if (event) this.#count(event, entry.id);
    return 'none';
  }

  /** What a count of messages does not say: who is meant, and what was taken back. */
  #count(event: ChannelEvent, id: Position): void {
    const view = this.#view;
    if (!view) return;
    if (event.type === 'message.deleted') {
      this.#view = { ...view, deleted: [...view.deleted, event.messagePosition] };
    } else if (event.type === 'message.created' && isMeant(event.message, this.#userId)) {
      this.#view = { ...view, mentions: [...view.mentions, id] };
    }
  }

  /** Takes a message that may be new to the user, and tells him once when he is meant. */
  #meet(message: Message): void {
    this.#lastMessage = message;
    if (!isMeant(message, this.#userId) || message.deletedAt !== null) return;
    if (this.#meantAt !== null && comparePositions(message.position, this.#meantAt) <= 0) return;
    this.#meantAt = message.position;
    this.#say({ type: 'mention', channelId: this.channelId, at: message.sentAt, message });
  }

  #say(event: InboxEvent): void {
    this.#own ??= [];
    this.#own.push(event);
  }

  #hear(notice: FeedNotice): Doubt {
    const { channelId } = this;
    switch (notice.type) {
      case 'read':
        if (notice.userId === this.#userId && this.#view && isLater(notice.place, this.#view.readTo)) {
          this.#view = { ...this.#view, readTo: notice.place };
        }
        return 'none';
      case 'hole': {
        const { senderId, clientMsgId, by, reason } = notice.hole;
        const { at, event } = { at: notice.place.at, event: notice.event };
        if (senderId === this.#userId && by !== null) this.#say(event);
        else if (senderId === this.#userId && clientMsgId !== null) {
          this.#say({ type: 'message.rejected', channelId, at, clientMsgId, reason });
        }
        return event.position === this.#lastMessage?.position ? 'summary' : 'view';
      }
      case 'persisted':
      case 'delivered':
        return 'none';
    }
  }

  #persisted(at: number): InboxEvent | null {
    const { marks } = this.attachment.channel.notices;
    const { first, last } = this.#waits;
    if (first === 0 || marks.epoch !== this.#view?.epoch || marks.n < first) return null;
    this.#waits = marks.n < last ? { first: marks.n + 1, last } : NONE;
    const upTo = formatPosition({ epoch: marks.epoch, n: marks.n });
    return { type: 'message.persisted', channelId: this.channelId, at, upTo, holes: marks.holes() };
  }
}

function isMeant({ senderId, mentions }: Message, userId: string): boolean {
  return senderId !== userId && mentions.includes(userId);
}

function isLater(place: LogPlace, than: LogPlace | null): boolean {
  return than === null || comparePlaces(place, than) > 0;
}

const SEVERITY: readonly Doubt[] = ['none', 'view', 'summary'];

/** The greater of two doubts. */
function worse(a: Doubt, b: Doubt): Doubt {
  return SEVERITY.indexOf(a) < SEVERITY.indexOf(b) ? b : a;
}
