import type { Answer, ChannelSummary, InboxEvent, Input, User } from '@parley/protocol';
import { type ChannelSnapshot, ChannelView } from './channel/channel-view.ts';
import type { CallPath, ChatApi } from './chat-api.ts';
import type { ClientClock } from './clock.ts';
import type { ConnectionState } from './connection/connection.ts';
import { type InboxSnapshot, InboxView } from './inbox/inbox-view.ts';
import type { SendDraft } from './outbox/entry.ts';
import { Outbox } from './outbox/outbox.ts';
import type { OutboxStorage } from './outbox/storage.ts';
import { patiently } from './patient-call.ts';
import { People } from './people.ts';
import { ReadCursors } from './read-cursors.ts';
import type { Random } from './retry-delay.ts';
import { Self } from './self.ts';
import type { Store } from './store.ts';

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

/** A channel that somebody looks at. */
export interface OpenChannel {
  readonly store: Store<ChannelSnapshot>;
  loadOlder(): Promise<void>;
  /** The last one to close a channel ends its feed. */
  close(): void;
}

interface SharedView {
  readonly view: ChannelView;
  users: number;
}

/** One user's chat: the inbox, the channels that are open, and an outbox that loses nothing. */
export class ChatClient {
  readonly #parts: ChatClientParts;
  readonly #outbox: Outbox;
  readonly #people: People;
  readonly #self: Self;
  readonly #cursors: ReadCursors;
  readonly #inbox: InboxView;
  readonly #views = new Map<string, SharedView>();

  constructor(parts: ChatClientParts) {
    const { api } = parts;
    this.#parts = parts;
    this.#people = new People(parts);
    this.#self = new Self(api, { ...parts, attempts: CALL_ATTEMPTS });
    this.#cursors = new ReadCursors(parts);
    this.#inbox = new InboxView({ ...parts, people: this.#people, onEvent: (event) => this.#route(event) });
    this.#outbox = new Outbox({
      ...parts,
      storage: parts.outboxStorage,
      perform: ({ id, channelId, operation }, op, signal) =>
        api.call('message.send', { ...operation.draft, channelId, clientMsgId: id, op }, signal),
    });
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

  /** Connects, and takes up what an earlier run has not sent. */
  async run(): Promise<void> {
    this.#inbox.run();
    await this.#outbox.run();
  }

  /** Ends everything. Messages that are not persisted stay in the outbox's storage, for the next run. */
  stop(): void {
    this.#outbox.stop();
    this.#inbox.stop();
    for (const { view } of this.#views.values()) view.stop();
    this.#views.clear();
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
    return this.#outbox.enqueue(channelId, {
      kind: 'send',
      draft: typeof draft === 'string' ? { body: draft } : draft,
    });
  }

  /** Sends a failed message again, after everything else. */
  retry(channelId: string, clientMsgId: string): void {
    this.#outbox.retry(channelId, clientMsgId);
  }

  /** Gives a failed message up. */
  discard(channelId: string, clientMsgId: string): void {
    this.#outbox.discard(channelId, clientMsgId);
  }

  openChannel(channelId: string): OpenChannel {
    const shared = this.#views.get(channelId) ?? this.#startView(channelId);
    shared.users += 1;
    let isOpen = true;
    return {
      store: shared.view.store,
      loadOlder: () => shared.view.loadOlder(),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        shared.users -= 1;
        if (shared.users > 0) return;
        shared.view.stop();
        this.#views.delete(channelId);
      },
    };
  }

  /** Everything that is shown of an open channel is read. Told to the server soon, and never taken back. */
  markRead(channelId: string): void {
    const newest = this.#views.get(channelId)?.view.store.getSnapshot().newest;
    if (newest) this.#cursors.mark(channelId, newest);
  }

  #startView(channelId: string): SharedView {
    const view = new ChannelView({
      ...this.#parts,
      channelId,
      outbox: this.#outbox,
      people: this.#people,
      self: () => this.#self.id(),
    });
    const shared = { view, users: 0 };
    this.#views.set(channelId, shared);
    view.run();
    return shared;
  }

  /** What the inbox tells the others. */
  #route(event: InboxEvent): void {
    switch (event.type) {
      case 'snapshot':
        this.#connected(event.channels);
        break;
      case 'read':
        this.#cursors.told(event.channelId, event.readTo);
        break;
      case 'message.persisted':
        this.#outbox.markPersisted(event.channelId, event.upTo, event.holes);
        break;
      case 'message.superseded':
        this.#outbox.markSuperseded(event.channelId, event.position, event.by);
        break;
      case 'message.rejected':
        this.#outbox.markRejected(event.channelId, event.clientMsgId, event.reason);
        break;
      default:
        break;
    }
  }

  #connected(channels: readonly ChannelSummary[]): void {
    this.#parts.connection.proven();
    this.#outbox.wake();
    for (const channel of channels) this.#cursors.told(channel.id, channel.readTo);
    this.#self.ask().then((me) => this.#people.learn(me ? [me] : []), this.#parts.onProblem);
  }
}
