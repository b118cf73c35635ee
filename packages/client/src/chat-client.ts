import type { Answer, ChannelSummary, Input, User } from '@parley/protocol';
import { ChannelView } from './channel/channel-view.ts';
import type { CallPath, ChatApi } from './chat-api.ts';
import type { ClientClock } from './clock.ts';
import type { ConnectionState } from './connection/connection-status.ts';
import { type RoutedParts, routeChannelEvent, routeInboxEvent } from './event-routes.ts';
import type { InboxSnapshot } from './inbox/inbox-snapshot.ts';
import { InboxView } from './inbox/inbox-view.ts';
import { type OpenChannel, OpenChannels } from './open-channels.ts';
import type { Change, SendDraft } from './outbox/entry.ts';
import { Outbox } from './outbox/outbox.ts';
import { performOperation } from './outbox/perform-operation.ts';
import type { OutboxStorage } from './outbox/storage.ts';
import { OwnReceipts } from './own-receipts.ts';
import { OwnTyping } from './own-typing.ts';
import { patiently } from './patient-call.ts';
import { People } from './people.ts';
import type { Random } from './retry-delay.ts';
import { Self } from './self.ts';
import type { Store } from './store.ts';
import { type Presence, WatchedPresence } from './watched-presence.ts';

const CALL_ATTEMPTS = 5;

/** What a client stands on: the parts that a test replaces. */
export interface ChatClientParts {
  readonly api: ChatApi;
  readonly connection: { readonly state: Store<ConnectionState>; proven(): void; stop(): void };
  readonly outboxStorage: OutboxStorage;
  readonly clock: ClientClock;
  readonly random: Random;
  readonly newId: () => string;
  readonly onProblem: (error: unknown) => void;
}

/** One user's chat: the inbox, the channels that are open, and an outbox that loses nothing. */
export class ChatClient {
  readonly #parts: ChatClientParts;
  readonly #outbox: Outbox;
  readonly #people: People;
  readonly #presence: WatchedPresence;
  readonly #self: Self;
  readonly #typing: OwnTyping;
  readonly #receipts: OwnReceipts;
  readonly #inbox: InboxView;
  readonly #channels: OpenChannels;
  #forgetConnection: () => void = () => undefined;

  constructor(parts: ChatClientParts) {
    const { api } = parts;
    this.#parts = parts;
    this.#people = new People(parts);
    this.#presence = new WatchedPresence(parts);
    this.#self = new Self(api, { ...parts, attempts: CALL_ATTEMPTS });
    this.#typing = new OwnTyping(parts);
    this.#receipts = new OwnReceipts(parts);
    this.#inbox = new InboxView({
      ...parts,
      people: this.#people,
      onEvent: (event) => routeInboxEvent(this.#routed, event),
    });
    this.#outbox = new Outbox({ ...parts, storage: parts.outboxStorage, perform: performOperation(api) });
    this.#channels = new OpenChannels((channelId) => this.#viewOf(channelId));
  }

  get connection(): Store<ConnectionState> {
    return this.#parts.connection.state;
  }

  get inbox(): Store<InboxSnapshot> {
    return this.#inbox.store;
  }

  /** Null until the server has answered for the first time. */
  get me(): Store<User | null> {
    return this.#self.store;
  }

  /** Everybody seen so far, by id. */
  get people(): Store<ReadonlyMap<string, User>> {
    return this.#people.known;
  }

  /** How those are whom somebody watches. */
  get presence(): Store<ReadonlyMap<string, Presence>> {
    return this.#presence.store;
  }

  /** Connects, and takes up what an earlier run has not sent. */
  async run(): Promise<void> {
    const { state } = this.#parts.connection;
    this.#forgetConnection = state.subscribe(() => {
      if (state.getSnapshot().status !== 'connected') this.#channels.disconnected();
    });
    this.#inbox.run();
    await this.#outbox.run();
  }

  /** Ends everything. Operations that are not persisted stay in the outbox's storage, for the next run. */
  stop(): void {
    this.#forgetConnection();
    this.#outbox.stop();
    this.#inbox.stop();
    this.#presence.stop();
    this.#channels.stop();
    this.#parts.connection.stop();
  }

  /** Ends everything and leaves nothing of this user behind. What was not sent is gone. */
  async signOut(): Promise<void> {
    this.stop();
    await this.#outbox.wipe();
  }

  /** Any procedure of the contract, once. */
  call<K extends CallPath>(path: K, input: Input<K>): Promise<Answer<K>> {
    return this.#parts.api.call(path, input);
  }

  /** Makes a channel, or finds the direct one of the same two. Repeated safely while the outcome is unknown. */
  async createChannel(input: Omit<Input<'channel.create'>, 'clientId' | 'op'>): Promise<ChannelSummary> {
    const { api, newId } = this.#parts;
    const clientId = newId();
    const patience = { ...this.#parts, attempts: CALL_ATTEMPTS };
    const { id } = await patiently(() => api.call('channel.create', { ...input, clientId }), patience);
    const channel = await patiently(() => api.call('channel.get', { channelId: id }), patience);
    this.#inbox.add(channel);
    return channel;
  }

  /** Shows the message at once and sends it when its turn comes. Returns its `clientMsgId`. */
  send(channelId: string, draft: string | SendDraft): string {
    this.#typing.sent(channelId);
    return this.#outbox.enqueue(channelId, {
      kind: 'send',
      draft: typeof draft === 'string' ? { body: draft } : draft,
    });
  }

  /** Makes a durable change when its turn comes, after what was sent and changed in the channel before. Returns the operation's id. */
  change(channelId: string, change: Change): string {
    return this.#outbox.enqueue(channelId, change);
  }

  /** Sends a failed operation again, after everything else. */
  retry(channelId: string, operationId: string): void {
    this.#outbox.retry(channelId, operationId);
  }

  /** Gives a failed operation up. */
  discard(channelId: string, operationId: string): void {
    this.#outbox.discard(channelId, operationId);
  }

  openChannel(channelId: string): OpenChannel {
    return this.#channels.open(channelId);
  }

  /** Everything that is shown of an open channel is read. Told to the server soon, and never taken back. */
  markRead(channelId: string): void {
    const newest = this.#channels.get(channelId)?.store.getSnapshot().newest;
    if (newest) this.#receipts.read(channelId, newest);
  }

  /** Mutes a channel until a time, or with null no more. Shown at once; taken back, and thrown, when it fails. */
  mute(channelId: string, until: number | null): Promise<void> {
    return this.#inbox.mute(channelId, until);
  }

  /** To be called with every stroke: the others are told now and then. A message that is sent ends it, and so does `isTyping` false. */
  typing(channelId: string, isTyping = true): void {
    if (!isTyping) this.#typing.stopped(channelId);
    else if (this.connection.getSnapshot().status === 'connected') this.#typing.typed(channelId);
  }

  /** Keeps `presence` true for these users until the returned function is called. */
  watchPresence(userIds: readonly string[]): () => void {
    return this.#presence.watch(userIds);
  }

  dismissAnnouncement(announcementId: string): void {
    this.#inbox.dismissAnnouncement(announcementId);
  }

  get #routed(): RoutedParts {
    const { connection, onProblem } = this.#parts;
    const own = { inbox: this.#inbox, outbox: this.#outbox, people: this.#people, presence: this.#presence };
    return { ...own, receipts: this.#receipts, self: this.#self, connection, onProblem };
  }

  #viewOf(channelId: string): ChannelView {
    return new ChannelView({
      ...this.#parts,
      channelId,
      outbox: this.#outbox,
      people: this.#people,
      self: () => this.#self.id(),
      onEvent: (event) => routeChannelEvent(this.#routed, event),
    });
  }
}
