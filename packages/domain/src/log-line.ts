import { type Attachment, type Channel, formatPosition, type Place, type Position } from '@parley/protocol';

/** The version of a log entry that this build writes. It reads this one and the one before; a newer one waits in the log. */
export const LINE_VERSION = 1;

/**
 * What an entry of the log is. Each kind takes an n; only `created` takes an m.
 * `created`, `edited`, `deleted`, `reacted` message · `joined`, `left`, `updated` member · `changed` channel.
 */
export const ENTRY_KINDS = {
  created: 'c',
  joined: 'j',
  left: 'l',
  updated: 'u',
  edited: 'e',
  deleted: 'd',
  reacted: 'r',
  changed: 'h',
} as const;
export type EntryKind = (typeof ENTRY_KINDS)[keyof typeof ENTRY_KINDS];

/**
 * What is published beside entries, and recovered from the next `opened` or a query when it is lost:
 * `persisted` mark with the holes below it · `read` and `delivered` cursor · `hole` (superseded or rejected entry).
 */
export const NOTICE_KINDS = { persisted: 'P', read: 'R', delivered: 'D', hole: 'H' } as const;
export type NoticeKind = (typeof NOTICE_KINDS)[keyof typeof NOTICE_KINDS];

/**
 * An entry's place in its channel and when it took it. `m` counts the channel's messages up to here, from a baseline that holds for
 * one epoch: only differences mean something. `at` is the log store's clock, epoch milliseconds, never falling within a channel.
 * Written `epoch-n m at`.
 */
export interface LogPlace extends Place {
  readonly m: number;
  readonly at: number;
}

/** One string serves log, window and publication: `v kind epoch-n m at json`. */
export interface LogLine {
  readonly v: number;
  readonly kind: string;
  readonly place: LogPlace;
  /** The payload exactly as the accepting api wrote it. */
  readonly json: string;
}

const PLACE = /^(\d+)-(\d+) (\d+) (\d+)$/;
const LINE = /^(\d+) (\S+) (\d+)-(\d+) (\d+) (\d+)(?: |$)/;

/** Reads `epoch-n m at`; null when the text is something else. */
export function parsePlace(text: string): LogPlace | null {
  const found = PLACE.exec(text);
  return found && { epoch: Number(found[1]), n: Number(found[2]), m: Number(found[3]), at: Number(found[4]) };
}

export function formatPlace(place: LogPlace): string {
  return `${place.epoch}-${place.n} ${place.m} ${place.at}`;
}

/** Reads a line; null when it is none. The version and the kind are the reader's to judge. */
export function parseLine(text: string): LogLine | null {
  const found = LINE.exec(text);
  if (!found) return null;
  return {
    v: Number(found[1]),
    kind: found[2] as string,
    place: { epoch: Number(found[3]), n: Number(found[4]), m: Number(found[5]), at: Number(found[6]) },
    json: text.slice(found[0].length),
  };
}

export function positionOf(line: LogLine): Position {
  return formatPosition(line.place);
}

/** Payload of a `created` entry: a message without what its place says (position, sentAt) and what comes later (edits, reactions). */
export interface CreatedPayload {
  readonly id: string;
  readonly channelId: string;
  readonly clientMsgId: string;
  readonly senderId: string;
  readonly body: string;
  readonly replyTo: string | null;
  readonly threadOf: string | null;
  readonly attachmentIds: readonly string[];
  /** Whole, so that no reader has to look them up; absent where there are none, and in lines of older builds. */
  readonly attachments?: readonly Attachment[];
  readonly mentions: readonly string[];
  readonly encrypted: { ciphertext: string; nonce: string; ephemeralPublicKey: string } | null;
  /** Of a reply. The script puts it in front of what the api wrote. */
  readonly thread?: ThreadCount;
}

/** Who reacted with what: users by emoji, in the order in which they did. */
export type Reactors = Readonly<Record<string, readonly string[]>>;

/** What changes about a message, whole, as the log store keeps it and as every change of it carries it. */
export interface MessageState {
  readonly senderId: string;
  readonly position: Position;
  readonly threadOf: string | null;
  readonly body: string;
  readonly editedAt: number | null;
  readonly deletedAt: number | null;
  readonly reactors: Reactors;
  readonly replyCount: number;
}

/** How many replies the message has now that one was said or deleted below. */
export interface ThreadCount {
  readonly messageId: string;
  readonly replyCount: number;
}

/** Payload of `edited`, `deleted` and `reacted`. */
export interface AmendPayload {
  /** The message after this change. The script puts it, and `thread`, in front of what the api wrote. */
  readonly state: MessageState;
  /** Of a deleted reply. */
  readonly thread?: ThreadCount;
  readonly id: string;
  readonly channelId: string;
  readonly actorId: string;
  readonly messageId: string;
  /** Of a reaction: what was added or taken back. */
  readonly reaction?: { readonly emoji: string; readonly added: boolean };
  /** Of an edit: what no change touches. */
  readonly message?: Omit<CreatedPayload, 'body' | 'thread'> & { readonly sentAt: number };
}

/** What changes about a channel, whole. */
export interface ChannelState {
  readonly name: string | null;
  readonly topic: string | null;
  readonly avatarUrl: string | null;
  readonly archivedAt: number | null;
}

/** Payload of `changed`. */
export interface ChannelPayload {
  /** The channel after this change, the version that it made, and the members at that time. The script puts them in front. */
  readonly state: ChannelState;
  readonly version: number;
  readonly memberCount: number;
  readonly id: string;
  readonly channelId: string;
  readonly actorId: string;
  /** What no change touches. */
  readonly channel: Pick<Channel, 'kind' | 'encrypted' | 'createdAt'>;
}

/** Payload of `joined`, `left` and `updated`. */
export interface MemberPayload {
  /** The version that this entry made. The script puts it, the rank and a silence in front of what the api wrote. */
  readonly version: number;
  readonly id: string;
  readonly channelId: string;
  readonly actorId: string;
  readonly userId: string;
  /** Rank of `ranks.ts`; null when the member left. */
  readonly rank: number | null;
  readonly name: string;
  /** Epoch milliseconds; 0: not silenced. Absent: as it was. */
  readonly silencedUntil?: number;
}

/** Payload of a `persisted` notice; its place is the mark. */
export interface PersistedPayload {
  readonly holes: readonly Position[];
}

/** Payload of a `read` notice; its place is the cursor. */
export interface ReadPayload {
  readonly userId: string;
}

/** Payload of a `delivered` notice; its place is the cursor. */
export interface DeliveredPayload {
  readonly userId: string;
  /** How far he has read; `0-0`: nothing. */
  readonly readTo: Position;
}

/** Payload of a `hole` notice; its place is the entry's. `by` is the twin that stands, null when the entry was rejected. */
export interface HolePayload {
  readonly senderId: string | null;
  readonly clientMsgId: string | null;
  readonly by: Position | null;
  readonly reason: string;
}
