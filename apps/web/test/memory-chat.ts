import { createHash, randomUUID } from 'node:crypto';
import type {
  Answer,
  Channel,
  ChannelEvent,
  ChannelKind,
  ChannelSummary,
  InboxEvent,
  Input,
  Member,
  Message,
  Position,
  Role,
  User,
} from '@parley/protocol';
import { comparePositions, formatPosition } from '@parley/protocol';

const EPOCH = 7;
const ORIGIN: Position = '0-0';

type Listener<E> = (id: string, event: E) => void;
type Settled = Answer<'member.setRole'>;

interface Room {
  readonly id: string;
  readonly kind: ChannelKind;
  name: string | null;
  readonly roles: Map<string, Role>;
  readonly createdAt: number;
  readonly messages: Message[];
  readonly readTo: Map<string, Position>;
  readonly deliveredTo: Map<string, Position>;
  /** `message emoji user` */
  readonly reactions: Set<string>;
  /** Entries so far. */
  n: number;
  /** With whose they are. */
  readonly listeners: Map<Listener<ChannelEvent>, string>;
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
    const { kind } = input;
    const id = kind === 'direct' ? idOf(memberIds.toSorted().join()) : (input.clientId ?? randomUUID());
    const room = this.#rooms.get(id) ?? {
      id,
      kind,
      name: input.name ?? null,
      roles: new Map(memberIds.map((member) => [member, member === userId ? 'owner' : 'member'])),
      createdAt: Date.now(),
      messages: [],
      readTo: new Map(),
      deliveredTo: new Map(),
      reactions: new Set(),
      n: 0,
      listeners: new Map(),
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
      memberCount: room.roles.size,
      createdAt: room.createdAt,
      archivedAt: null,
      role: room.roles.get(userId) ?? 'member',
      head: last?.position ?? null,
      readTo: room.readTo.get(userId) ?? null,
      unread: this.#unread(room, userId),
      mentions: this.#after(room, userId).filter((message) => message.mentions.includes(userId)).length,
      lastMessage: last && shownTo(room, last, userId),
      members: this.users([...room.roles.keys()]).slice(0, 8),
      muted: false,
    };
  }

  summaries(userId: string): ChannelSummary[] {
    const mine = [...this.#rooms.values()].filter((room) => room.roles.has(userId));
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

  page(userId: string, input: Input<'message.page'>): Answer<'message.page'> {
    const { before, limit = 20 } = input;
    const all = this.#room(input.channelId).messages;
    const earlier = before ? all.filter((message) => comparePositions(message.position, before) < 0) : all;
    const items = earlier.slice(-limit).map((message) => shownTo(this.#room(input.channelId), message, userId));
    return { items, hasBefore: earlier.length > limit, hasAfter: before !== undefined };
  }

  read(userId: string, { channelId, position }: Input<'receipt.read'>): Answer<'receipt.read'> {
    const room = this.#room(channelId);
    if (comparePositions(position, room.readTo.get(userId) ?? ORIGIN) > 0) room.readTo.set(userId, position);
    const readTo = room.readTo.get(userId) ?? null;
    const { unread, mentions } = this.summary(channelId, userId);
    this.#tellInbox(userId, { type: 'read', channelId, at: Date.now(), readTo, unread, mentions });
    this.#tellCursors(room, userId);
    return { readTo, unread };
  }

  delivered(userId: string, { channelId, position }: Input<'receipt.delivered'>): Answer<'receipt.delivered'> {
    const room = this.#room(channelId);
    if (comparePositions(position, room.deliveredTo.get(userId) ?? ORIGIN) > 0) room.deliveredTo.set(userId, position);
    this.#tellCursors(room, userId);
    return { readTo: room.readTo.get(userId) ?? null, unread: this.#unread(room, userId) };
  }

  openChannel(userId: string, input: Input<'feed.channel'>, listener: Listener<ChannelEvent>): () => void {
    const { channelId, lastEventId = null } = input;
    const room = this.#room(channelId);
    const head = room.n > 0 ? headOf(room) : null;
    const persistedTo = room.messages.findLast((message) => message.persisted)?.position ?? null;
    const opened = { type: 'opened' as const, channelId, at: Date.now(), epoch: EPOCH, head, persistedTo, holes: [] };
    listener(lastEventId ?? head ?? ORIGIN, { ...opened, resumed: lastEventId !== null });
    for (const message of lastEventId ? room.messages : []) {
      if (comparePositions(message.position, lastEventId ?? ORIGIN) > 0) listener(message.position, created(message));
    }
    room.listeners.set(listener, userId);
    return () => room.listeners.delete(listener);
  }

  edit(userId: string, { channelId, messageId, body }: Input<'message.edit'>): Answer<'message.edit'> {
    const at = Date.now();
    const settled = this.#amend(channelId, messageId, (message) => ({ ...message, body, editedAt: at }));
    const message = this.#message(channelId, messageId);
    const { position } = settled;
    if (message.senderId !== userId) throw new Error('not his');
    this.#tell(this.#room(channelId), { type: 'message.updated', channelId, at, position, message });
    return { ...settled, messageId, editedAt: at };
  }

  remove({ channelId, messageId }: Input<'message.delete'>): Answer<'message.delete'> {
    const at = Date.now();
    const settled = this.#amend(channelId, messageId, (message) => ({ ...message, body: '', deletedAt: at }));
    const { position } = settled;
    const { position: messagePosition } = this.#message(channelId, messageId);
    const gone = { messageId, messagePosition, deletedAt: at };
    this.#tell(this.#room(channelId), { type: 'message.deleted', channelId, at, position, ...gone });
    return { ...settled, messageId, deletedAt: at };
  }

  react(
    userId: string,
    { channelId, messageId, emoji }: Input<'reaction.add'>,
    added: boolean,
  ): Answer<'reaction.add'> {
    const room = this.#room(channelId);
    if (added) room.reactions.add(`${messageId} ${emoji} ${userId}`);
    else room.reactions.delete(`${messageId} ${emoji} ${userId}`);
    const { position, ...settled } = this.#amend(channelId, messageId, (message) => message);
    const event = { type: 'reaction.changed' as const, channelId, at: Date.now(), position, messageId };
    const reactionsFor = (id: string) => shownTo(room, this.#message(channelId, messageId), id).reactions;
    for (const [listener, reader] of room.listeners) listener(position, { ...event, reactions: reactionsFor(reader) });
    return { ...settled, position, reactions: reactionsFor(userId) };
  }

  thread(userId: string, { channelId, messageId }: Input<'message.thread'>): Answer<'message.thread'> {
    const room = this.#room(channelId);
    const items = room.messages.filter((message) => message.threadOf === messageId);
    return { items: items.map((message) => shownTo(room, message, userId)), hasBefore: false, hasAfter: false };
  }

  type(userId: string, { channelId, typing }: Input<'typing.set'>): Answer<'typing.set'> {
    this.#tell(this.#room(channelId), { type: 'typing.changed', channelId, at: Date.now(), userId, typing });
    return { expiresInMs: 3_000 };
  }

  presence({ userIds }: Input<'presence.get'>): Answer<'presence.get'> {
    return userIds.map((userId) => {
      const status = (this.#inboxes.get(userId)?.size ?? 0) > 0 ? 'online' : 'offline';
      return { userId, status, lastSeenAt: null };
    });
  }

  members(channelId: string): Answer<'member.list'> {
    const room = this.#room(channelId);
    return { items: [...room.roles.keys()].map((userId) => this.#member(room, userId)), nextCursor: null };
  }

  setRole({ channelId, userId, role }: Input<'member.setRole'>): Settled {
    const room = this.#room(channelId);
    room.roles.set(userId, role);
    const position = this.#next(room);
    const member = this.#member(room, userId);
    this.#tell(room, { type: 'member.updated', channelId, at: Date.now(), position, member });
    return { epoch: EPOCH, position, level: 'persisted' };
  }

  browse({ query = '' }: { query?: string | undefined }): Answer<'channel.browse'> {
    const found = [...this.#rooms.values()].filter((room) => room.kind === 'public' && room.name?.includes(query));
    return { items: found.map((room) => this.#channel(room)), nextCursor: null };
  }

  join(userId: string, { channelId }: Input<'channel.join'>): Answer<'channel.join'> {
    const room = this.#room(channelId);
    room.roles.set(userId, 'member');
    const position = this.#next(room);
    const [at, member] = [Date.now(), this.#member(room, userId)];
    this.#tell(room, { type: 'member.joined', channelId, at, position, member });
    const channel = this.summary(channelId, userId);
    this.#tellInbox(userId, { type: 'channel.added', channelId, at, channel });
    return { ...channel, epoch: EPOCH, position, level: 'persisted' };
  }

  leave(userId: string, { channelId }: Input<'channel.leave'>): Settled {
    const room = this.#room(channelId);
    room.roles.delete(userId);
    const position = this.#next(room);
    this.#tell(room, { type: 'member.left', channelId, at: Date.now(), position, userId });
    this.#tellInbox(userId, { type: 'channel.removed', channelId, at: Date.now(), reason: 'left' });
    return { epoch: EPOCH, position, level: 'persisted' };
  }

  rename({ channelId, name }: Input<'channel.update'>): Answer<'channel.update'> {
    const room = this.#room(channelId);
    room.name = name ?? room.name;
    const position = this.#next(room);
    const channel = this.#channel(room);
    this.#tell(room, { type: 'channel.updated', channelId, at: Date.now(), position, channel });
    return { ...channel, epoch: EPOCH, position, level: 'persisted' };
  }

  openInbox(userId: string, listener: Listener<InboxEvent>): () => void {
    const now = Date.now();
    listener('s', { type: 'snapshot', at: now, channels: this.summaries(userId), serverTime: now, protocol: 1 });
    const listeners = this.#inboxes.get(userId) ?? new Set();
    this.#inboxes.set(userId, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  #append(room: Room, senderId: string, input: Input<'message.send'> & { sentAt: number }): Message {
    room.n += 1;
    const position = headOf(room);
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
      threadOf: input.threadOf ?? null,
      replyCount: 0,
      reactions: [],
      attachments: [],
      mentions: input.mentions ?? [],
      encrypted: null,
      persisted: false,
    };
    room.messages.push(message);
    room.readTo.set(senderId, position);
    const parent = room.messages.findIndex((each) => each.id === message.threadOf);
    const above = room.messages[parent];
    if (above) room.messages[parent] = { ...above, replyCount: above.replyCount + 1 };
    const thread = above && { messageId: above.id, replyCount: above.replyCount + 1 };
    this.#tell(room, { ...created(message), ...(thread && { thread }) });
    for (const member of room.roles.keys()) this.#tellActivity(room, member);
    setTimeout(() => this.#persist(room, message), this.persistAfterMs);
    return message;
  }

  #persist(room: Room, { position }: Message): void {
    const at = room.messages.findIndex((message) => message.position === position);
    const message = room.messages[at];
    if (message) room.messages[at] = { ...message, persisted: true };
    const event = { type: 'message.persisted' as const, channelId: room.id, at: Date.now(), upTo: position, holes: [] };
    this.#tell(room, event);
  }

  #next(room: Room): Position {
    room.n += 1;
    return headOf(room);
  }

  #tell(room: Room, event: ChannelEvent): void {
    for (const listener of room.listeners.keys()) listener(headOf(room), event);
  }

  #tellCursors(room: Room, userId: string): void {
    const { deliveredTo, readTo } = this.#member(room, userId);
    this.#tell(room, { type: 'receipt.updated', channelId: room.id, at: Date.now(), userId, deliveredTo, readTo });
  }

  #channel(room: Room): Channel {
    const { id, kind, name, createdAt } = room;
    const memberCount = room.roles.size;
    return { id, kind, name, topic: null, avatarUrl: null, encrypted: false, memberCount, createdAt, archivedAt: null };
  }

  #member(room: Room, userId: string): Member {
    const user = this.#users.get(userId);
    if (!user) throw new Error(`no user ${userId}`);
    const readTo = room.readTo.get(userId) ?? null;
    const deliveredTo = room.deliveredTo.get(userId) ?? readTo;
    return { userId, role: room.roles.get(userId) ?? 'member', joinedAt: room.createdAt, user, deliveredTo, readTo };
  }

  #message(channelId: string, messageId: string): Message {
    const message = this.#room(channelId).messages.find((each) => each.id === messageId);
    if (!message) throw new Error(`no message ${messageId}`);
    return message;
  }

  #amend(channelId: string, messageId: string, change: (message: Message) => Message) {
    const room = this.#room(channelId);
    const at = room.messages.indexOf(this.#message(channelId, messageId));
    room.messages[at] = change(this.#message(channelId, messageId));
    return { epoch: EPOCH, position: this.#next(room), level: 'persisted' as const, duplicate: false };
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

  #after(room: Room, userId: string): Message[] {
    const readTo = room.readTo.get(userId) ?? ORIGIN;
    return room.messages.filter((message) => comparePositions(message.position, readTo) > 0);
  }

  #unread(room: Room, userId: string): number {
    return this.#after(room, userId).length;
  }

  #room(channelId: string): Room {
    const room = this.#rooms.get(channelId);
    if (!room) throw new Error(`no channel ${channelId}`);
    return room;
  }
}

function headOf({ n }: Room): Position {
  return formatPosition({ epoch: EPOCH, n });
}

function shownTo(room: Room, message: Message, userId: string): Message {
  const counts = new Map<string, { emoji: string; count: number; mine: boolean }>();
  for (const each of room.reactions) {
    const [id, emoji = '', user] = each.split(' ');
    if (id !== message.id) continue;
    const before = counts.get(emoji) ?? { emoji, count: 0, mine: false };
    counts.set(emoji, { emoji, count: before.count + 1, mine: before.mine || user === userId });
  }
  return { ...message, reactions: [...counts.values()] };
}

function created(message: Message): Extract<ChannelEvent, { type: 'message.created' }> {
  return { type: 'message.created', channelId: message.channelId, at: message.sentAt, message };
}
