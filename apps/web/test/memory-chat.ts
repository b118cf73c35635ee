import { createHash, randomUUID } from 'node:crypto';
import type {
  Answer,
  ChannelEvent,
  ChannelSummary,
  InboxEvent,
  Input,
  Message,
  Position,
  User,
} from '@parley/protocol';
import { comparePositions, formatPosition } from '@parley/protocol';

const EPOCH = 7;
const ORIGIN: Position = '0-0';

type Listener<E> = (id: string, event: E) => void;

interface Room {
  readonly id: string;
  readonly kind: 'direct' | 'group';
  readonly name: string | null;
  readonly memberIds: readonly string[];
  readonly createdAt: number;
  readonly messages: Message[];
  readonly readTo: Map<string, Position>;
  readonly listeners: Set<Listener<ChannelEvent>>;
}

function idOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** A whole chat in memory, for looking at the page without stores: what it accepts it persists after `persistAfterMs`. */
export class MemoryChat {
  persistAfterMs = 150;
  /** Bodies that are refused for good. */
  readonly refused = new Set<string>();
  readonly #users = new Map<string, User>();
  readonly #rooms = new Map<string, Room>();
  readonly #inboxes = new Map<string, Set<Listener<InboxEvent>>>();

  user(name: string): User {
    const id = idOf(name);
    const user = this.#users.get(id) ?? {
      id,
      name,
      avatarUrl: null,
      status: 'online',
      statusText: null,
      lastSeenAt: null,
    };
    this.#users.set(id, user);
    return user;
  }

  users(ids: readonly string[]): User[] {
    return ids.flatMap((id) => this.#users.get(id) ?? []);
  }

  create(userId: string, input: Input<'channel.create'>): ChannelSummary {
    const memberIds = [...new Set([userId, ...input.memberIds])];
    const kind = input.kind === 'direct' ? 'direct' : 'group';
    const id = kind === 'direct' ? idOf(memberIds.toSorted().join()) : (input.clientId ?? randomUUID());
    const room = this.#rooms.get(id) ?? {
      id,
      kind,
      name: input.name ?? null,
      memberIds,
      createdAt: Date.now(),
      messages: [],
      readTo: new Map(),
      listeners: new Set(),
    };
    this.#rooms.set(id, room);
    for (const member of memberIds) {
      this.#tellInbox(member, {
        type: 'channel.added',
        channelId: id,
        at: Date.now(),
        channel: this.summary(id, member),
      });
    }
    return this.summary(id, userId);
  }

  summary(channelId: string, userId: string): ChannelSummary {
    const room = this.#room(channelId);
    const last = room.messages.at(-1) ?? null;
    return {
      id: room.id,
      kind: room.kind,
      name: room.name,
      topic: null,
      avatarUrl: null,
      encrypted: false,
      memberCount: room.memberIds.length,
      createdAt: room.createdAt,
      archivedAt: null,
      role: 'member',
      head: last?.position ?? null,
      readTo: room.readTo.get(userId) ?? null,
      unread: this.#unread(room, userId),
      mentions: 0,
      lastMessage: last,
      members: this.users(room.memberIds).slice(0, 8),
      muted: false,
    };
  }

  summaries(userId: string): ChannelSummary[] {
    const mine = [...this.#rooms.values()].filter((room) => room.memberIds.includes(userId));
    return mine.map((room) => this.summary(room.id, userId));
  }

  send(userId: string, input: Input<'message.send'>, sentAt = Date.now()): Answer<'message.send'> {
    const room = this.#room(input.channelId);
    const known = room.messages.find((each) => each.senderId === userId && each.clientMsgId === input.clientMsgId);
    const message = known ?? this.#append(room, userId, { ...input, sentAt });
    const level = message.persisted ? 'persisted' : 'accepted';
    const { id: messageId, position } = message;
    return { epoch: EPOCH, messageId, position, sentAt: message.sentAt, level, duplicate: known !== undefined };
  }

  page(input: Input<'message.page'>): Answer<'message.page'> {
    const { before, limit = 20 } = input;
    const all = this.#room(input.channelId).messages;
    const earlier = before ? all.filter((message) => comparePositions(message.position, before) < 0) : all;
    return { items: earlier.slice(-limit), hasBefore: earlier.length > limit, hasAfter: before !== undefined };
  }

  read(userId: string, { channelId, position }: Input<'receipt.read'>): Answer<'receipt.read'> {
    const room = this.#room(channelId);
    if (comparePositions(position, room.readTo.get(userId) ?? ORIGIN) > 0) room.readTo.set(userId, position);
    const readTo = room.readTo.get(userId) ?? null;
    const unread = this.#unread(room, userId);
    this.#tellInbox(userId, { type: 'read', channelId, at: Date.now(), readTo, unread });
    return { readTo, unread };
  }

  openChannel(channelId: string, lastEventId: Position | null, listener: Listener<ChannelEvent>): () => void {
    const room = this.#room(channelId);
    const head = room.messages.at(-1)?.position ?? null;
    const persistedTo = room.messages.findLast((message) => message.persisted)?.position ?? null;
    const opened = { type: 'opened' as const, channelId, at: Date.now(), epoch: EPOCH, head, persistedTo, holes: [] };
    listener(lastEventId ?? head ?? ORIGIN, { ...opened, resumed: lastEventId !== null });
    for (const message of lastEventId ? room.messages : []) {
      if (comparePositions(message.position, lastEventId ?? ORIGIN) > 0) listener(message.position, created(message));
    }
    room.listeners.add(listener);
    return () => room.listeners.delete(listener);
  }

  openInbox(userId: string, listener: Listener<InboxEvent>): () => void {
    const now = Date.now();
    listener('s', { type: 'snapshot', at: now, channels: this.summaries(userId), serverTime: now, protocol: 1 });
    const listeners = this.#inboxes.get(userId) ?? new Set();
    this.#inboxes.set(userId, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  #append(room: Room, senderId: string, input: Input<'message.send'> & { sentAt: number }): Message {
    const position = formatPosition({ epoch: EPOCH, n: room.messages.length + 1 });
    const message: Message = {
      id: idOf(`${room.id} ${senderId} ${input.clientMsgId}`),
      channelId: room.id,
      position,
      clientMsgId: input.clientMsgId,
      senderId,
      body: input.body,
      sentAt: input.sentAt,
      editedAt: null,
      deletedAt: null,
      replyTo: null,
      threadOf: null,
      replyCount: 0,
      reactions: [],
      attachments: [],
      mentions: [],
      encrypted: null,
      persisted: false,
    };
    room.messages.push(message);
    room.readTo.set(senderId, position);
    for (const listener of room.listeners) listener(position, created(message));
    for (const member of room.memberIds) this.#tellActivity(room, member);
    setTimeout(() => this.#persist(room, message), this.persistAfterMs);
    return message;
  }

  #persist(room: Room, { position }: Message): void {
    const at = room.messages.findIndex((message) => message.position === position);
    const message = room.messages[at];
    if (message) room.messages[at] = { ...message, persisted: true };
    const event = { type: 'message.persisted' as const, channelId: room.id, at: Date.now(), upTo: position, holes: [] };
    for (const listener of room.listeners) listener(room.messages.at(-1)?.position ?? position, event);
  }

  #tellActivity(room: Room, userId: string): void {
    const { head, unread, mentions, lastMessage } = this.summary(room.id, userId);
    this.#tellInbox(userId, {
      type: 'channel.activity',
      channelId: room.id,
      at: Date.now(),
      head,
      unread,
      mentions,
      lastMessage,
    });
  }

  #tellInbox(userId: string, event: InboxEvent): void {
    for (const listener of this.#inboxes.get(userId) ?? []) listener(randomUUID(), event);
  }

  #unread(room: Room, userId: string): number {
    const readTo = room.readTo.get(userId) ?? ORIGIN;
    return room.messages.filter((message) => comparePositions(message.position, readTo) > 0).length;
  }

  #room(channelId: string): Room {
    const room = this.#rooms.get(channelId);
    if (!room) throw new Error(`no channel ${channelId}`);
    return room;
  }
}

function created(message: Message): ChannelEvent {
  return { type: 'message.created', channelId: message.channelId, at: message.sentAt, message };
}
