import { comparePlaces, type FeedEntry, type PresenceChange, parseTypingSignal } from '@parley/domain';
import { type ChannelEvent, ORIGIN, type Place, parsePosition } from '@parley/protocol';
import type { Hub } from '../hub/hub.ts';
import { NoticeBoard } from '../hub/notice-board.ts';
import type { Listener } from '../hub/wake-up.ts';
import { type MembersDeps, OpenChannelMembers } from './channel-members.ts';
import type { PresenceWatch } from './presence-watch.ts';
import { Typists } from './typists.ts';

/** An event that is worth nothing to who comes later. The newest of a key replaces the older ones. */
export interface EphemeralNotice {
  readonly key: string;
  readonly event: Extract<ChannelEvent, { type: 'typing.changed' | 'presence.changed' }>;
}

export interface EphemeralChannelDeps {
  readonly hub: Pick<Hub, 'attach' | 'detach'>;
  readonly members: MembersDeps;
  readonly watch: PresenceWatch;
  readonly typingTtlMs: number;
  readonly clock: { now(): number };
  count(type: EphemeralNotice['event']['type']): void;
  /** Nobody listens to it any more. */
  onLeft(channel: EphemeralChannel): void;
}

const BOARD_NOTICES = 1_024;
/** Senders of whom it is known what they sent last. */
const SENDERS_MAX = 256;

/** What feeds of one channel are told on this thread beside its log: who types, and, while it has few enough members, who is here. */
export class EphemeralChannel implements Listener {
  readonly channelId: string;
  readonly board = new NoticeBoard<EphemeralNotice>(BOARD_NOTICES);
  readonly #listeners = new Set<Listener>();
  readonly #deps: EphemeralChannelDeps;
  readonly #typists: Typists;
  readonly #sent = new Map<string, Place>();
  #members: OpenChannelMembers | null = null;
  #closed = false;

  constructor(deps: EphemeralChannelDeps, channelId: string) {
    this.#deps = deps;
    this.channelId = channelId;
    this.#typists = new Typists(deps.typingTtlMs, (userId, typing) => {
      this.#pin(`typing ${userId}`, { type: 'typing.changed', channelId, at: deps.clock.now(), userId, typing });
    });
  }

  get typists(): number {
    return this.#typists.size;
  }

  /** Resolves when it is known who is in the channel, or that this cannot be known now. */
  async open(): Promise<void> {
    const { hub } = this.#deps;
    const channel = await hub.attach(this.channelId, this);
    if (this.#closed) {
      hub.detach(this.channelId, this);
      return;
    }
    this.#members = new OpenChannelMembers(this.#deps.members, channel, {
      // The entry of a member who joins does not know how he is.
      joined: (userId, lately) => this.#deps.watch.watch(userId, this.#onPresence, { owed: lately }),
      left: (userId) => this.#deps.watch.unwatch(userId, this.#onPresence),
      passed: (entry) => this.#pass(entry),
    });
    await this.#members.settle();
  }

  /** Its hub has something new. */
  wake(): void {
    this.#members?.look();
  }

  attach(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** Once, or as often as one likes. */
  detach(listener: Listener): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#deps.onLeft(this);
  }

  /** A `TypingSignal` that was published. Throws when it cannot be read. */
  heard(json: string): void {
    const { userId, typing, after } = parseTypingSignal(json);
    if (!typing) {
      this.#typists.end(userId);
      return;
    }
    // It comes by another way than messages do: what he sent since then may have come before it.
    const sent = this.#sent.get(userId);
    if (sent && comparePlaces(sent, parsePosition(after ?? ORIGIN)) > 0) return;
    this.#typists.begin(userId);
  }

  /** Tries again what could not be found out. */
  settle(): Promise<void> {
    return this.#members?.settle() ?? Promise.resolve();
  }

  close(): void {
    this.#closed = true;
    this.#members?.close();
    this.#typists.clear();
    this.#deps.hub.detach(this.channelId, this);
  }

  readonly #onPresence = ({ userId, status, lastSeenAt }: PresenceChange): void => {
    const { channelId } = this;
    const at = this.#deps.clock.now();
    this.#pin(`presence ${userId}`, { type: 'presence.changed', channelId, at, userId, status, lastSeenAt });
  };

  #pass({ event, place }: FeedEntry): void {
    if (event?.type === 'member.left') this.#typists.end(event.userId);
    if (event?.type !== 'message.created') return;
    const { senderId } = event.message;
    this.#sent.delete(senderId);
    this.#sent.set(senderId, place);
    const [oldest] = this.#sent.keys();
    if (oldest !== undefined && this.#sent.size > SENDERS_MAX) this.#sent.delete(oldest);
    this.#typists.end(senderId);
  }

  #pin(key: string, event: EphemeralNotice['event']): void {
    this.board.pin({ key, event });
    this.#deps.count(event.type);
    for (const listener of this.#listeners) listener.wake();
  }
}
