import { isId, readAmended, readChannel, readCreated, readMember, salvageChannelId } from './drain-payload.ts';
import {
  type AmendPayload,
  type ChannelPayload,
  type CreatedPayload,
  ENTRY_KINDS,
  LINE_VERSION,
  type LogPlace,
  type MemberPayload,
  parseLine,
} from './log-line.ts';
import { partitionOf } from './partition.ts';
import type { LoggedEntry } from './ports/drain.ts';

/** Where a readable entry stands. */
interface Placed {
  readonly logged: LoggedEntry;
  readonly place: LogPlace;
}

/** An entry that will never be what its author meant: it becomes a dead letter and, where its place is known, a hole. */
export interface RejectedEntry {
  readonly type: 'rejected';
  readonly logged: LoggedEntry;
  /**
   * Where its hole is recorded; null when the line does not say, or cannot be believed. The scripts append no such line, so it has
   * taken no position in any channel.
   */
  readonly hole: { readonly channelId: string; readonly place: LogPlace; readonly isMessage: boolean } | null;
  readonly senderId: string | null;
  readonly operationId: string | null;
  readonly reason: string;
}

/**
 * An entry of the log as the worker understands it.
 * `newer`: written by a later version than this build reads. It waits, and everything behind it in its partition with it.
 */
export type DrainEntry =
  | (Placed & { readonly type: 'created'; readonly payload: CreatedPayload })
  | (Placed & { readonly type: 'member'; readonly kind: string; readonly payload: MemberPayload })
  | (Placed & { readonly type: 'amended'; readonly kind: string; readonly payload: AmendPayload })
  | (Placed & { readonly type: 'channel'; readonly kind: string; readonly payload: ChannelPayload })
  | RejectedEntry
  | { readonly type: 'newer'; readonly logged: LoggedEntry; readonly v: number };

/** An entry that can be written: what is newer never reaches a batch. */
export type WritableEntry = Exclude<DrainEntry, { type: 'newer' }>;

const { joined, left, updated, edited, deleted, reacted, created, changed } = ENTRY_KINDS;
const MEMBER_KINDS: ReadonlySet<string> = new Set([joined, left, updated]);
const AMEND_KINDS: ReadonlySet<string> = new Set([edited, deleted, reacted]);
const KINDS: ReadonlySet<string> = new Set(Object.values(ENTRY_KINDS));
const EPOCH_MAX = 9_999_999_999;

/** Reads an entry. Never throws: what cannot be read is rejected, with the reason. */
export function decodeEntry(logged: LoggedEntry): DrainEntry {
  const line = parseLine(logged.line);
  if (!line) return rejected(logged, 'not a line');
  if (line.v > LINE_VERSION) return { type: 'newer', logged, v: line.v };
  const { kind, place, json } = line;
  if (!isSane(place)) return rejected(logged, 'not a place');
  const entry = readEntry({ logged, place }, kind, json);
  if (entry && belongs(logged, entry.payload.channelId)) return entry;
  const channelId = salvageChannelId(json);
  const hole =
    channelId !== null && belongs(logged, channelId) ? { channelId, place, isMessage: kind === created } : null;
  const reason = KINDS.has(kind) ? 'unreadable payload' : `unknown kind ${escaped(kind)}`;
  return { ...rejected(logged, reason), hole };
}

function readEntry(placed: Placed, kind: string, json: string): Extract<DrainEntry, Placed> | null {
  if (kind === created) {
    const payload = readCreated(json);
    return payload && { type: 'created', ...placed, payload };
  }
  if (MEMBER_KINDS.has(kind)) {
    const payload = readMember(json);
    return payload && { type: 'member', ...placed, kind, payload };
  }
  if (AMEND_KINDS.has(kind)) {
    const payload = readAmended(json, kind);
    return payload && { type: 'amended', ...placed, kind, payload };
  }
  const payload = kind === changed ? readChannel(json) : null;
  return payload && { type: 'channel', ...placed, kind, payload };
}

/** Turns an entry that Postgres refuses into a rejected one. A rejected one that it refuses again loses all that it could refuse. */
export function rejectEntry(entry: WritableEntry, reason: string): RejectedEntry {
  const { logged } = entry;
  if (entry.type === 'rejected') return rejected(logged, entry.reason);
  const { place, payload } = entry;
  const isMessage = entry.type === 'created';
  return {
    type: 'rejected',
    logged,
    hole: { channelId: payload.channelId, place, isMessage },
    senderId: isMessage ? entry.payload.senderId : entry.payload.actorId,
    operationId: isMessage ? entry.payload.clientMsgId : entry.payload.id,
    reason,
  };
}

function rejected(logged: LoggedEntry, reason: string): RejectedEntry {
  return { type: 'rejected', logged, hole: null, senderId: null, operationId: null, reason };
}

/** What a foreign line calls its kind may hold a NUL: Postgres would refuse the dead letter as well, and the lane would stand still. */
function escaped(word: string): string {
  return JSON.stringify(word).slice(1, -1);
}

/** A channel of another partition would be written past its own cursor. */
function belongs(logged: LoggedEntry, channelId: string): boolean {
  return isId(channelId) && partitionOf(channelId) === logged.partition;
}

/** Numbers that the columns hold: a place beyond them would be refused with everything around it. */
function isSane(place: LogPlace): boolean {
  return place.epoch <= EPOCH_MAX && [place.epoch, place.n, place.m, place.at].every(Number.isSafeInteger);
}
