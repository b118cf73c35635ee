import type { Channel, ChannelKind, Member, Message, Position, Role, User } from '@parley/protocol';

/** A message as Postgres has it. */
export type StoredMessage = Message;

/** An entry that is no message. `kind` is an entry kind of `log-line.ts`, or `s` superseded, `x` rejected. */
export interface StoredChange {
  readonly position: Position;
  readonly kind: string;
  readonly target: string | null;
  readonly by: Position | null;
  readonly at: number;
  /** The member as he is now, for `joined` and `updated`. */
  readonly member: Member | null;
}

/** What happened in a channel after a position, read in one snapshot. Messages and changes are each oldest first. */
export interface History {
  readonly epoch: number;
  /** Whether the caller is a member in this snapshot, and the membership's version. */
  readonly member: boolean;
  readonly version: number;
  /** Whether the position asked for is an entry that Postgres has (or the origin, or the last one that retention removed). */
  readonly known: boolean;
  /** Retention has removed what followed the position. */
  readonly expired: boolean;
  readonly messages: readonly StoredMessage[];
  readonly changes: readonly StoredChange[];
  /** More than `limit` entries follow the position. */
  readonly more: boolean;
}

export type Outcome =
  | { readonly type: 'persisted'; readonly id: string; readonly position: Position; readonly at: number }
  | { readonly type: 'rejected'; readonly reason: string };

export interface ChannelRow {
  readonly channel: Channel;
  readonly role: Role;
  readonly muted: boolean;
  readonly readTo: Position | null;
  readonly head: Position | null;
  readonly lastMessage: StoredMessage | null;
  readonly members: readonly User[];
}

export interface NewChannel {
  readonly id: string;
  readonly kind: ChannelKind;
  readonly name: string | null;
  readonly encrypted: boolean;
  readonly memberLimit: number;
  readonly ownerId: string;
  /** Without the owner. */
  readonly memberIds: readonly string[];
}

export interface Claims {
  readonly id: string;
  readonly name: string;
  readonly avatarUrl: string | null;
  readonly email: string | null;
  readonly locale: string | null;
}

/** Postgres, as the api reads and writes it. Every method is one statement unless it says otherwise. */
export interface Archive {
  upsertUser(claims: Claims): Promise<User>;
  /** In no order; unknown ids are left out. */
  users(userIds: readonly string[]): Promise<User[]>;
  /** Makes the channel with its members, or finds the one with this id. `unknown`: these members do not exist, nothing was made. */
  createChannel(channel: NewChannel): Promise<{ channel: Channel; created: boolean } | { unknown: string[] }>;
  /** Newest activity first, by keyset. */
  channelsOf(
    userId: string,
    page: { cursor: string | null; limit: number },
  ): Promise<{ items: ChannelRow[]; nextCursor: string | null }>;
  /** Null when there is no such channel or the user is no member. */
  channel(channelId: string, userId: string): Promise<ChannelRow | null>;
  /** Messages after each user's read cursor, by channel: for channels whose header is not loaded. */
  unread(userId: string, channelIds: readonly string[]): Promise<Map<string, number>>;
  members(
    channelId: string,
    page: { cursor: string | null; limit: number },
  ): Promise<{ items: Member[]; nextCursor: string | null }>;
  membersById(channelId: string, userIds: readonly string[]): Promise<Member[]>;
  /** What became of an operation; null when Postgres has never seen it. */
  outcome(operation: { channelId: string; actorId: string; operationId: string }): Promise<Outcome | null>;
  history(query: { channelId: string; userId: string; after: Position; limit: number }): Promise<History>;
  /** Oldest first. `around` puts the position's entry in the middle. */
  page(query: {
    channelId: string;
    before?: Position;
    after?: Position;
    around?: Position;
    limit: number;
  }): Promise<{ items: StoredMessage[]; hasBefore: boolean; hasAfter: boolean }>;
  message(channelId: string, messageId: string): Promise<StoredMessage | null>;
  /** Messages after a position, up to and with another one. */
  countAfter(channelId: string, position: Position, upTo: Position): Promise<number>;
}
