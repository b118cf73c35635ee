import type { ChannelMembers, FeedEntry } from '@parley/domain';
import type { Place } from '@parley/protocol';
import type { ChannelHub } from '../hub/channel-hub.ts';

export interface MembersDeps {
  /** Reads who is in the channel; null when the log store has no header of it now. */
  read(channelId: string): Promise<ChannelMembers | null>;
  /** Above it nobody is named. */
  readonly most: number;
  readonly logger: { debug(detail: object, text: string): void };
}

/** What is done with members who come and go, and with entries that pass. */
export interface MembersListener {
  /** `lately`: he joined just now, and the feeds have seen it. */
  joined(userId: string, lately: boolean): void;
  left(userId: string): void;
  passed(entry: FeedEntry): void;
}

/** Who is in a channel that is open on this thread: read once, and kept current by the entries that pass its hub. */
export class OpenChannelMembers {
  readonly #deps: MembersDeps;
  readonly #channel: ChannelHub;
  readonly #listener: MembersListener;
  readonly #named = new Set<string>();
  #count = 0;
  #at: Place | null = null;
  #resynced = 0;
  #reading: Promise<void> | null = null;
  #doubt = true;
  #closed = false;

  constructor(deps: MembersDeps, channel: ChannelHub, listener: MembersListener) {
    this.#deps = deps;
    this.#channel = channel;
    this.#listener = listener;
  }

  /** Takes the entries that passed since the last look. When they do not tell everything, the members are read again. */
  look(): void {
    if (this.#channel.resync.version !== this.#resynced) this.#doubt = true;
    while (this.#at) {
      const entry = this.#channel.after(this.#at);
      // Without a tip the channel has not begun yet, and what it begins with may be newer than what was read.
      if (entry === 'behind' && this.#channel.tail.tip) this.#doubt = true;
      if (entry === undefined || entry === 'behind') break;
      this.#pass(entry);
    }
    if (this.#doubt) void this.settle();
  }

  /** Reads who is here, where that is in doubt. Never rejects: what fails is left in doubt. */
  settle(): Promise<void> {
    if (!this.#doubt || this.#closed) return Promise.resolve();
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  close(): void {
    this.#closed = true;
    this.#name(new Set());
  }

  async #read(): Promise<void> {
    const { channelId, resync } = this.#channel;
    const resynced = resync.version;
    try {
      const found = await this.#deps.read(channelId);
      if (!found || this.#closed) return;
      this.#doubt = false;
      this.#resynced = resynced;
      this.#count = found.count;
      this.#at = found.head;
      this.#name(new Set(found.userIds));
    } catch (error) {
      this.#deps.logger.debug({ err: error, channelId }, 'members cannot be read now');
      return;
    }
    // What passed while they were read.
    this.look();
  }

  #pass(entry: FeedEntry): void {
    this.#at = entry.place;
    this.#listener.passed(entry);
    const { event } = entry;
    if (event?.type === 'member.joined') this.#joined(event.member.userId);
    if (event?.type === 'member.left') this.#left(event.userId);
  }

  #joined(userId: string): void {
    this.#count++;
    if (this.#count > this.#deps.most) this.#name(new Set());
    else this.#add(userId, true);
  }

  #left(userId: string): void {
    this.#count--;
    if (this.#named.delete(userId)) this.#listener.left(userId);
    // Just now there were too many to be named.
    if (this.#count === this.#deps.most) this.#doubt = true;
  }

  #add(userId: string, lately: boolean): void {
    if (this.#named.has(userId)) return;
    this.#named.add(userId);
    this.#listener.joined(userId, lately);
  }

  #name(userIds: ReadonlySet<string>): void {
    for (const userId of [...this.#named]) {
      if (!userIds.has(userId) && this.#named.delete(userId)) this.#listener.left(userId);
    }
    for (const userId of userIds) this.#add(userId, false);
  }
}
