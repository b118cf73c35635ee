import { orWhenAway } from '@parley/domain';
import { type ChannelSummary, type InboxEvent, PROTOCOL_VERSION } from '@parley/protocol';
import type { Attachment } from '../hub/attachment.ts';
import type { UserListener } from '../hub/user-topics.ts';
import type { FeedReader, Item, Reading } from './feed-reader.ts';
import { InboxChannel } from './inbox-channel.ts';
import type { InboxReaderDeps } from './inbox-reader-deps.ts';

/** A channel's activity is told at most once in this time. */
const ACTIVITY_EVERY_MS = 250;
const AWAY_PAUSE_MS = 1_000;

/**
 * One user's place in all his channels. What waits here is bounded by the number of channels: events are made when somebody comes for
 * them. Their ids are `<uuid of this subscription>-<n>`: never repeated, and worth nothing to another subscription.
 */
export class InboxReader implements FeedReader<InboxEvent>, UserListener {
  readonly #deps: InboxReaderDeps;
  readonly #userId: string;
  readonly #reading: Reading;
  readonly #subscription: string;
  #told = 0;
  readonly #channels = new Map<string, InboxChannel>();
  readonly #dirty = new Set<string>();
  /** Channels whose summary has to be read again. */
  readonly #unsure = new Set<string>();
  /** Channels that the user was invited to just now. */
  readonly #invited = new Set<string>();
  /** Channels that are gone for everybody. */
  readonly #deleted = new Set<string>();
  #ready: InboxEvent[] = [];
  #suspect = false;
  #lookedAt = 0;
  #detach: (() => void) | null = null;
  #closed = false;

  constructor(deps: InboxReaderDeps, userId: string, reading: Reading) {
    this.#deps = deps;
    this.#userId = userId;
    this.#reading = reading;
    this.#subscription = deps.newId();
  }

  /**
   * Listens for changes of membership, reads the page, listens to its channels, and then looks at them all in one pipeline: what
   * happened between the page and the listening is found by that look.
   */
  async open(): Promise<void> {
    const detach = await this.#deps.hub.attachUser(this.#userId, this);
    if (this.#closed) {
      detach();
      return;
    }
    this.#detach = detach;
    const channels = await this.#deps.summaries(this.#userId);
    await Promise.all(channels.map((summary) => this.#listen(summary)));
    const now = this.#deps.clock.now();
    this.#ready.unshift({ type: 'snapshot', at: now, channels, serverTime: now, protocol: PROTOCOL_VERSION });
    await this.#rest([...this.#channels.keys()]);
  }

  take(): Item<InboxEvent> | null {
    const event = this.#ready.shift();
    return event ? { id: `${this.#subscription}-${++this.#told}`, event } : null;
  }

  get isEven(): boolean {
    return !this.#suspect && this.#dirty.size + this.#unsure.size + this.#invited.size === 0;
  }

  /** Works out the next events. Rests first when the last ones were only just told. */
  async catchUp(): Promise<void> {
    if (this.#suspect) await this.#recheck();
    const waitMs = this.#lookedAt + ACTIVITY_EVERY_MS - this.#deps.clock.now();
    if (waitMs > 0) await this.#deps.clock.sleep(waitMs, this.#reading.signal);
    if (this.#closed) return;
    this.#lookedAt = this.#deps.clock.now();
    await this.#look();
    await this.#clear();
    await this.#tellInvitations();
  }

  close(): void {
    this.#closed = true;
    this.#detach?.();
    for (const { attachment } of this.#channels.values()) attachment.release();
    this.#channels.clear();
  }

  look(channelId: string): void {
    this.#unsure.add(channelId);
    this.#reading.wake();
  }

  invited(channelId: string): void {
    this.#invited.add(channelId);
    this.#reading.wake();
  }

  suspect(): void {
    this.#suspect = true;
    this.#reading.wake();
  }

  announce(event: InboxEvent): void {
    this.#ready.push(event);
    this.#reading.wake();
  }

  erased(userId: string): void {
    for (const channel of this.#channels.values()) if (channel.remembers(userId)) this.look(channel.channelId);
  }

  deleted(channelId: string): void {
    if (!this.#channels.has(channelId)) return;
    this.#deleted.add(channelId);
    this.look(channelId);
  }

  async #listen(summary: ChannelSummary): Promise<InboxChannel | null> {
    const attachment = await this.#attach(summary.id);
    if (this.#closed || this.#channels.has(summary.id)) {
      attachment.release();
      return null;
    }
    const channel = new InboxChannel(this.#userId, attachment, summary);
    this.#channels.set(summary.id, channel);
    return channel;
  }

  /** In a scope without the summary, which would live as long as the inbox. */
  #attach(channelId: string): Promise<Attachment> {
    return this.#deps.hub.attach(channelId, () => {
      this.#dirty.add(channelId);
      this.#reading.wake();
    });
  }

  /** Everything that was delivered since the last look. */
  async #look(): Promise<void> {
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    const blurred: string[] = [];
    for (const channelId of dirty) {
      const channel = this.#channels.get(channelId);
      const doubt = channel?.look() ?? 'none';
      if (doubt === 'summary') this.#unsure.add(channelId);
      else if (doubt === 'view') blurred.push(channelId);
      else if (channel) this.#ready.push(...channel.news());
    }
    await this.#rest(blurred);
  }

  /**
   * Looks at the headers of channels, in one pipeline. Without one a channel is counted on when somebody writes to it and so loads it;
   * what was heard of it is told.
   */
  async #rest(channelIds: readonly string[]): Promise<void> {
    if (channelIds.length === 0) return;
    const views = await orWhenAway(() => this.#deps.views.views(this.#userId, channelIds), null);
    channelIds.forEach((channelId, i) => {
      const channel = this.#channels.get(channelId);
      if (!channel) return;
      if (!views) {
        channel.blur();
        this.#dirty.add(channelId);
        return;
      }
      const view = views[i];
      if (!view) this.#ready.push(...channel.news());
      else if (view.rank === null || channel.rest(view) === 'summary') this.#unsure.add(channelId);
      else this.#ready.push(...channel.news());
    });
    if (!views) this.#lookLater();
  }

  /** Reads again what only a summary can tell: membership, and the last message where it did not pass by. */
  async #clear(): Promise<void> {
    const unsure = [...this.#unsure];
    this.#unsure.clear();
    for (const channelId of unsure) {
      if (await orWhenAway(() => this.#sum(channelId), false)) continue;
      this.#unsure.add(channelId);
      this.#lookLater();
    }
  }

  async #sum(channelId: string): Promise<true> {
    const summary = await this.#deps.summary(this.#userId, channelId);
    if (this.#closed) return true;
    if (summary) await this.#keep(summary);
    else this.#drop(channelId);
    return true;
  }

  /** An invitation that was taken or withdrawn meanwhile is none any more. */
  async #tellInvitations(): Promise<void> {
    if (this.#invited.size === 0) return;
    const all = await orWhenAway(() => this.#deps.invitations(this.#userId), null);
    if (!all) return this.#lookLater();
    for (const { channel, invitedBy, invitedAt: at } of all.filter((each) => this.#invited.has(each.channel.id))) {
      this.#ready.push({ type: 'channel.invited', channelId: channel.id, at, channel, invitedBy });
    }
    this.#invited.clear();
  }

  /** A store is away: there is no hurry. */
  #lookLater(): void {
    this.#lookedAt = this.#deps.clock.now() + AWAY_PAUSE_MS;
  }

  async #keep(summary: ChannelSummary): Promise<void> {
    const known = this.#channels.get(summary.id);
    if (known) {
      known.refresh(summary);
    } else {
      await this.#listen(summary);
      this.#ready.push({ type: 'channel.added', channelId: summary.id, at: this.#deps.clock.now(), channel: summary });
    }
    await this.#rest([summary.id]);
  }

  #drop(channelId: string): void {
    const channel = this.#channels.get(channelId);
    if (!channel) return;
    this.#channels.delete(channelId);
    channel.attachment.release();
    const at = this.#deps.clock.now();
    const left = channel.leftByOwnWill ? 'left' : 'removed';
    const reason = this.#deleted.delete(channelId) ? 'deleted' : left;
    this.#ready.push({ type: 'channel.removed', channelId, at, reason });
  }

  /** Hints and publications may have been lost: membership is read again, and every channel is looked at. */
  async #recheck(): Promise<void> {
    this.#suspect = false;
    const page = await orWhenAway(() => this.#deps.summaries(this.#userId), null);
    if (!page) {
      this.#suspect = true;
      this.#lookLater();
      return;
    }
    for (const { id } of page) if (!this.#channels.has(id)) this.#unsure.add(id);
    await this.#rest([...this.#channels.keys()]);
  }
}
