import { orWhenAway } from '@parley/domain';
import { type ChannelSummary, type InboxEvent, PROTOCOL_VERSION } from '@parley/protocol';
import type { UserListener } from '../hub/user-topics.ts';
import type { FeedReader, Item, Reading } from './feed-reader.ts';
import { type ChannelInbox, InboxChannel } from './inbox-channel.ts';
import type { InboxReaderDeps } from './inbox-reader-deps.ts';
import { invitationsTold } from './invitations-told.ts';
import { PendingChannels } from './pending-channels.ts';

/** A channel's activity is told at most once in this time. */
const ACTIVITY_EVERY_MS = 250;
const AWAY_PAUSE_MS = 1_000;

/**
 * One user's place in all his channels. What waits here is bounded by the number of channels: events are made when somebody comes for
 * them. Their ids are `<uuid of this subscription>-<n>`: never repeated, and worth nothing to another subscription.
 */
export class InboxReader implements FeedReader<InboxEvent>, UserListener, ChannelInbox {
  readonly userId: string;
  readonly #deps: InboxReaderDeps;
  readonly #reading: Reading;
  readonly #subscription: string;
  #told = 0;
  readonly #channels = new Map<string, InboxChannel>();
  /** Those that were woken and have not looked since. */
  #stirred: InboxChannel[] = [];
  /** Channels whose summary has to be read again. */
  readonly #unsure = new PendingChannels();
  /** Channels that the user was invited to just now. */
  readonly #invited = new PendingChannels();
  /** Channels that are gone for everybody. */
  readonly #deleted = new PendingChannels();
  #ready: InboxEvent[] = [];
  #isAttached = false;
  #suspect = false;
  #lookedAt = 0;
  #closed = false;

  constructor(deps: InboxReaderDeps, userId: string, reading: Reading) {
    this.#deps = deps;
    this.userId = userId;
    this.#reading = reading;
    this.#subscription = deps.newId();
  }

  /**
   * Listens for changes of membership, reads the page, listens to its channels, and then looks at them all in one pipeline: what
   * happened between the page and the listening is found by that look.
   */
  async open(): Promise<void> {
    if (!this.#isAttached) await this.#deps.hub.attachUser(this.userId, this);
    this.#isAttached = true;
    if (this.#closed) {
      this.#deps.hub.detachUser(this.userId, this);
      return;
    }
    const channels = await this.#deps.summaries(this.userId);
    await Promise.all(channels.map((summary) => this.#listen(summary)));
    const now = this.#deps.clock.now();
    this.#ready.unshift({ type: 'snapshot', at: now, channels, serverTime: now, protocol: PROTOCOL_VERSION });
    await this.#rest([...this.#channels.values()]);
  }

  take(): Item<InboxEvent> | null {
    const event = this.#ready.shift();
    return event ? { id: `${this.#subscription}-${++this.#told}`, event } : null;
  }

  get isEven(): boolean {
    return !this.#suspect && this.#stirred.length === 0 && this.#unsure.isEmpty && this.#invited.isEmpty;
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
    const { hub } = this.#deps;
    hub.detachUser(this.userId, this);
    for (const [channelId, channel] of this.#channels) hub.detach(channelId, channel);
    this.#channels.clear();
  }

  stirred(channel: InboxChannel): void {
    this.#stirred.push(channel);
    this.#reading.wake();
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

  /** Nothing of the summary is kept: it would live as long as the inbox. */
  async #listen(summary: ChannelSummary): Promise<void> {
    const channel = new InboxChannel(this, summary);
    const hub = await this.#deps.hub.attach(summary.id, channel);
    if (this.#closed || this.#channels.has(summary.id)) {
      this.#deps.hub.detach(summary.id, channel);
      return;
    }
    channel.follow(hub);
    this.#channels.set(channel.channelId, channel);
  }

  /** Everything that was delivered since the last look. */
  async #look(): Promise<void> {
    const stirred = this.#stirred;
    this.#stirred = [];
    const blurred: InboxChannel[] = [];
    for (const channel of stirred) {
      if (!this.#has(channel)) continue;
      const doubt = channel.look();
      if (doubt === 'summary') this.#unsure.add(channel.channelId);
      else if (doubt === 'view') blurred.push(channel);
      else this.#ready.push(...channel.news());
    }
    await this.#rest(blurred);
  }

  /** It may have been left meanwhile. */
  #has(channel: InboxChannel): boolean {
    return this.#channels.get(channel.channelId) === channel;
  }

  /**
   * Looks at the headers of channels, in one pipeline. Without one a channel is counted on when somebody writes to it and so loads it;
   * what was heard of it is told.
   */
  async #rest(channels: readonly InboxChannel[]): Promise<void> {
    if (channels.length === 0) return;
    const ids = channels.map(({ channelId }) => channelId);
    const views = await orWhenAway(() => this.#deps.views.views(this.userId, ids), null);
    channels.forEach((channel, i) => {
      if (!this.#has(channel)) return;
      if (!views) {
        channel.blur();
        return;
      }
      const view = views[i];
      if (!view) this.#ready.push(...channel.news());
      else if (view.rank === null || channel.rest(view) === 'summary') this.#unsure.add(channel.channelId);
      else this.#ready.push(...channel.news());
    });
    if (!views) this.#lookLater();
  }

  /** Reads again what only a summary can tell: membership, and the last message where it did not pass by. */
  async #clear(): Promise<void> {
    for (const channelId of this.#unsure.take()) {
      if (await orWhenAway(() => this.#sum(channelId), false)) continue;
      this.#unsure.add(channelId);
      this.#lookLater();
    }
  }

  async #sum(channelId: string): Promise<true> {
    const summary = await this.#deps.summary(this.userId, channelId);
    if (this.#closed) return true;
    if (summary) await this.#keep(summary);
    else this.#drop(channelId);
    return true;
  }

  async #tellInvitations(): Promise<void> {
    if (this.#invited.isEmpty) return;
    const invited = this.#invited.take();
    const events = await invitationsTold(this.#deps, this.userId, invited);
    if (events) this.#ready.push(...events);
    else {
      for (const channelId of invited) this.#invited.add(channelId);
      this.#lookLater();
    }
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
    const channel = this.#channels.get(summary.id);
    if (channel) await this.#rest([channel]);
  }

  #drop(channelId: string): void {
    const channel = this.#channels.get(channelId);
    if (!channel) return;
    this.#channels.delete(channelId);
    this.#deps.hub.detach(channelId, channel);
    const at = this.#deps.clock.now();
    const left = channel.leftByOwnWill ? 'left' : 'removed';
    const reason = this.#deleted.delete(channelId) ? 'deleted' : left;
    this.#ready.push({ type: 'channel.removed', channelId, at, reason });
  }

  /** Hints and publications may have been lost: membership is read again, and every channel is looked at. */
  async #recheck(): Promise<void> {
    this.#suspect = false;
    const page = await orWhenAway(() => this.#deps.summaries(this.userId), null);
    if (!page) {
      this.#suspect = true;
      this.#lookLater();
      return;
    }
    for (const { id } of page) if (!this.#channels.has(id)) this.#unsure.add(id);
    await this.#rest([...this.#channels.values()]);
  }
}
