import type { Channel, ChannelKind, Member, Position, Role, User } from '@parley/protocol';
import type { AsOf } from '../copy-keys.ts';
import type { StoredMessage } from '../message-state.ts';
import type { OwnChannel } from './copies.ts';
import type { Finding } from './finding.ts';

/** An entry that is no message. `kind` is an entry kind of `log-line.ts`, or `s` superseded, `x` rejected. */
export interface StoredChange {
  readonly position: Position;
  readonly kind: string;
  readonly target: string | null;
  readonly by: Position | null;
  readonly at: number;
  /** The member as he is now, for `joined` and `updated`. */
  readonly member: Member | null;
  /** The message as it is now, for `edited`, `deleted` and `reacted`. */
  readonly message: StoredMessage | null;
  /** The channel as it is now, for `changed`. */
  readonly channel: Channel | null;
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
  readonly asOf: AsOf;
  /** Where it was asked to count them. */
  readonly counts: Counts | null;
}

/** Messages after a user's read cursor, and those among them that mention him. */
export interface Counts {
  readonly unread: number;
  readonly mentions: number;
}

/** Rows, and (where it was asked for) the whole set of the user's channels; null also where it is too large to keep. */
export interface ChannelRows {
  readonly items: ChannelRow[];
  readonly own: readonly OwnChannel[] | null;
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

/** Whether somebody who is no member may come in by himself. */
export interface Admission {
  readonly kind: ChannelKind;
  readonly invited: boolean;
  /** Epoch milliseconds; 0: not at all. A silence of his membership, also of one that is over. */
  readonly silencedUntil: number;
}

export interface Invitation {
  readonly channel: Channel;
  readonly invitedBy: string;
  readonly invitedAt: number;
}

/** Postgres, as the api reads and writes it. Every method is one statement unless it says otherwise. */
export interface Archive extends Finding {
  upsertUser(claims: Claims): Promise<User>;
  /** In no order; unknown ids are left out. */
  users(userIds: readonly string[]): Promise<User[]>;
  /** The same of those who can become members of a channel: who was erased is left out, too. */
  joinable(userIds: readonly string[]): Promise<User[]>;
  /**
   * Makes the channel with its members, or finds the one with this id. Nothing was made: `unknown` members do not exist or were erased,
   * or a channel with this id was `deleted`.
   */
  createChannel(
    channel: NewChannel,
  ): Promise<{ channel: Channel; created: boolean } | { unknown: string[] } | { deleted: true }>;
  /** Newest activity first, by keyset. The first page comes with the whole set. */
  channelsOf(
    userId: string,
    page: { cursor: string | null; limit: number },
  ): Promise<ChannelRows & { nextCursor: string | null }>;
  /** These of the user's channels, in no order. `count`: with what is unread, `withSet`: with the whole set. */
  channelsById(
    userId: string,
    wanted: { channelIds: readonly string[]; count: boolean; withSet: boolean },
  ): Promise<ChannelRows>;
  /** Null when there is no such channel or the user is no member. */
  channel(channelId: string, userId: string): Promise<ChannelRow | null>;
  /** Messages after the user's read cursor, and those that mention him, by channel: for channels whose header is not loaded. */
  unread(userId: string, channelIds: readonly string[]): Promise<Map<string, Counts>>;
  members(
    channelId: string,
    page: { cursor: string | null; limit: number },
  ): Promise<{ items: Member[]; nextCursor: string | null; asOf: AsOf | null }>;
  membersById(channelId: string, userIds: readonly string[]): Promise<Member[]>;
  /** Members whose cursors are at or after a position, without one of them; the times are when they moved last. */
  receipts(
    channelId: string,
    position: Position,
    withoutId: string,
  ): Promise<{ userId: string; deliveredAt: number | null; readAt: number | null }[]>;
  /** Null when there is no such channel. */
  admission(channelId: string, userId: string): Promise<Admission | null>;
  /** Those who are invited now: users who exist and are neither members nor invited already. */
  invite(invitation: { channelId: string; invitedBy: string; userIds: readonly string[] }): Promise<string[]>;
  invitations(userId: string): Promise<Invitation[]>;
  /** The invitation was taken. */
  forgetInvitation(channelId: string, userId: string): Promise<void>;
  /** Until a time, null: not any more. False when the user is no member. */
  mute(channelId: string, userId: string, until: number | null): Promise<boolean>;
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
  /** Replies in a message's thread; the same pages as `page` without `around`. */
  thread(query: {
    channelId: string;
    messageId: string;
    before?: Position;
    after?: Position;
    limit: number;
  }): Promise<{ items: StoredMessage[]; hasBefore: boolean; hasAfter: boolean }>;
  /** Messages after a position, up to and with another one. */
  countAfter(channelId: string, position: Position, upTo: Position): Promise<number>;
}
