import { type Attachment, formatPosition, type Place, type Position } from '@parley/protocol';

/** The version of a log entry that this build writes. It reads this one and the one before; a newer one waits in the log. */
export const LINE_VERSION = 1;

/**
 * What an entry of the log is. Each kind takes an n; only `created` takes an m.
 * `created` message · `joined`, `left`, `updated` member.
 */
export const ENTRY_KINDS = { created: 'c', joined: 'j', left: 'l', updated: 'u' } as const;
export type EntryKind = (typeof ENTRY_KINDS)[keyof typeof ENTRY_KINDS];

/**
 * What is published beside entries, and recovered from the next `opened` or a query when it is lost:
 * `persisted` mark with the holes below it · `read` cursor · `hole` (superseded or rejected entry).
 */
export const NOTICE_KINDS = { persisted: 'P', read: 'R', hole: 'H' } as const;
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
}

/** Payload of `joined`, `left` and `updated`. */
export interface MemberPayload {
  /** The membership version that this entry made. The script puts it in front of what the api wrote. */
  readonly version: number;
  readonly id: string;
  readonly channelId: string;
  readonly actorId: string;
  readonly userId: string;
  /** Rank of `ranks.ts`; null when the member left. */
  readonly rank: number | null;
  readonly name: string;
}

/** Payload of a `persisted` notice; its place is the mark. */
export interface PersistedPayload {
  readonly holes: readonly Position[];
}

/** Payload of a `read` notice; its place is the cursor. */
export interface ReadPayload {
  readonly userId: string;
}

/** Payload of a `hole` notice; its place is the entry's. `by` is the twin that stands, null when the entry was rejected. */
export interface HolePayload {
  readonly senderId: string | null;
  readonly clientMsgId: string | null;
  readonly by: Position | null;
  readonly reason: string;
}
