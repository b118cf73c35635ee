import {
  type ChannelRow,
  type Counts,
  NO_REACTORS,
  type OwnChannel,
  type Reactors,
  reactionsOf,
  roleOf,
  type StoredChange,
  type StoredMessage,
  withoutWords,
} from '@parley/domain';
import { type Channel, type ChannelKind, formatPosition, type Member, type User } from '@parley/protocol';
import type { MessageExtra } from '../entities/message.ts';
import { type CursorTriple, cursorPosition, positionOrNull } from '../positions.ts';

// Rows as statements give them, by themselves or as JSON: the same names, numbers for bigints.

export interface UserColumns {
  readonly id: string;
  readonly name: string;
  readonly avatar_url: string | null;
  readonly status_text: string | null;
  readonly last_seen_at: number | null;
}

export interface ChannelColumns {
  readonly id: string;
  readonly kind: ChannelKind;
  readonly name: string | null;
  readonly topic: string | null;
  readonly avatar_url: string | null;
  readonly encrypted: boolean;
  readonly member_count: number;
  readonly created_at: number;
  readonly archived_at: number | null;
}

export interface MessageColumns {
  readonly id: string;
  readonly channel_id: string;
  readonly epoch: number;
  readonly n: number;
  readonly sender_id: string;
  readonly client_msg_id: string;
  readonly body: string;
  readonly extra: MessageExtra | null;
  readonly sent_at: number;
  readonly edited_at: number | null;
  readonly deleted_at: number | null;
  readonly thread_of: string | null;
  readonly reactors: Reactors | null;
  readonly reply_count: number;
  readonly thread_count: number | null;
}

export interface MemberColumns {
  readonly user: UserColumns;
  readonly rank: number;
  readonly joined_at: number;
  readonly read_to: CursorTriple;
  readonly delivered_to: CursorTriple;
}

export interface ChangeColumns {
  readonly epoch: number;
  readonly n: number;
  readonly kind: string;
  readonly target: string | null;
  readonly by_epoch: number | null;
  readonly by_n: number | null;
  readonly at: number;
  readonly member: MemberColumns | null;
  readonly message: MessageColumns | null;
  readonly channel: ChannelColumns | null;
}

export interface ChannelRowColumns {
  readonly active_at: number;
  readonly channel: ChannelColumns;
  readonly rank: number;
  readonly muted: boolean;
  readonly read_to: CursorTriple;
  readonly head: { readonly epoch: number; readonly n: number } | null;
  readonly last_message: MessageColumns | null;
  readonly members: readonly UserColumns[];
  readonly epoch: number;
  readonly version: number;
  readonly counts: Counts | null;
  /** On the first row, where it was asked for: `[id, created_at, muted_until]` of all channels of the user. */
  readonly own: readonly [id: string, createdAt: number, mutedUntil: number | null][] | null;
}

/** A user as Postgres knows him: presence is somebody else's to add. */
export function userOf(row: UserColumns): User {
  return {
    id: row.id,
    name: row.name,
    avatarUrl: row.avatar_url,
    status: 'offline',
    statusText: row.status_text,
    lastSeenAt: row.last_seen_at,
  };
}

export function channelOf(row: ChannelColumns): Channel {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    topic: row.topic,
    avatarUrl: row.avatar_url,
    encrypted: row.encrypted,
    memberCount: row.member_count,
    createdAt: row.created_at,
    archivedAt: row.archived_at,
  };
}

export function messageOf(row: MessageColumns): StoredMessage {
  const { extra, deleted_at: deletedAt, thread_of: threadOf, thread_count: replyCount } = row;
  const reactors = row.reactors ?? NO_REACTORS;
  const message: StoredMessage = {
    id: row.id,
    channelId: row.channel_id,
    position: formatPosition(row),
    clientMsgId: row.client_msg_id,
    senderId: row.sender_id,
    body: row.body,
    sentAt: row.sent_at,
    editedAt: row.edited_at,
    deletedAt,
    replyTo: extra?.replyTo ?? null,
    threadOf,
    replyCount: row.reply_count,
    reactions: reactionsOf(reactors, null),
    reactors,
    ...(threadOf !== null && replyCount !== null && { thread: { messageId: threadOf, replyCount } }),
    attachments: [...(extra?.attachments ?? [])],
    mentions: [...(extra?.mentions ?? [])],
    encrypted: extra?.encrypted ?? null,
    persisted: true,
  };
  return deletedAt === null ? message : withoutWords(message, deletedAt);
}

export function memberOf(row: MemberColumns): Member {
  return {
    userId: row.user.id,
    role: roleOf(row.rank),
    joinedAt: row.joined_at,
    user: userOf(row.user),
    deliveredTo: cursorPosition(row.delivered_to),
    readTo: cursorPosition(row.read_to),
  };
}

export function changeOf(row: ChangeColumns): StoredChange {
  return {
    position: formatPosition(row),
    kind: row.kind,
    target: row.target,
    by: positionOrNull(row.by_epoch, row.by_n),
    at: row.at,
    member: row.member && memberOf(row.member),
    message: row.message && messageOf(row.message),
    channel: row.channel && channelOf(row.channel),
  };
}

export function channelRowOf(row: ChannelRowColumns): ChannelRow {
  return {
    channel: channelOf(row.channel),
    role: roleOf(row.rank),
    muted: row.muted,
    readTo: cursorPosition(row.read_to),
    head: row.head && formatPosition(row.head),
    lastMessage: row.last_message && messageOf(row.last_message),
    members: row.members.map(userOf),
    asOf: { epoch: row.epoch, version: row.version },
    counts: row.counts,
  };
}

/** The set that the first row carries. Who has no row is in no channel. */
export function ownOf(rows: readonly ChannelRowColumns[]): OwnChannel[] | null {
  const [first] = rows;
  if (!first) return [];
  return first.own?.map(([id, createdAt, mutedUntil]) => ({ id, createdAt, mutedUntil })) ?? null;
}
