import { type ChannelEvent, type Member, type Place, type Position, parsePosition } from '@parley/protocol';
import { ENTRY_KINDS, LINE_VERSION, type LogLine, type MemberPayload, positionOf } from './log-line.ts';
import { messageOf } from './message-of.ts';
import type { History, StoredChange } from './ports/archive.ts';
import type { ChannelView } from './ports/channel-view.ts';
import { roleOf } from './ranks.ts';
import { comparePlaces } from './sequence.ts';

/** One durable entry on its way to feeds. Made once, shared by all of them. */
export interface FeedEntry {
  readonly place: Place;
  readonly id: Position;
  /** Messages up to here in its epoch's count; null when it came from Postgres, which does not count them. */
  readonly m: number | null;
  readonly at: number;
  /** Null: its position passes silently. */
  readonly event: ChannelEvent | null;
  /** Superseded, rejected or lost: nothing stands at this position. */
  readonly hole: boolean;
  /** Who did it, where that is known. */
  readonly actorId: string | null;
}

/** The part of a view that decides how a line of its epoch is shown. */
export type SettledState = Pick<ChannelView, 'epoch' | 'persistedN' | 'holes'>;

function memberFromLine(line: LogLine, payload: MemberPayload, rank: number): Member {
  const position = positionOf(line);
  return {
    userId: payload.userId,
    role: roleOf(rank),
    joinedAt: line.place.at,
    user: {
      id: payload.userId,
      name: payload.name,
      avatarUrl: null,
      status: 'offline',
      statusText: null,
      lastSeenAt: null,
    },
    // What was said before somebody came is not unread to him.
    deliveredTo: position,
    readTo: position,
  };
}

function memberEvent(line: LogLine, payload: MemberPayload): ChannelEvent | null {
  const inChannel = { channelId: payload.channelId, at: line.place.at, position: positionOf(line) };
  if (line.kind === ENTRY_KINDS.left) return { type: 'member.left', ...inChannel, userId: payload.userId };
  if (payload.rank === null) return null;
  const member = memberFromLine(line, payload, payload.rank);
  return { type: line.kind === ENTRY_KINDS.joined ? 'member.joined' : 'member.updated', ...inChannel, member };
}

function eventFromLine(line: LogLine, settled: SettledState): { event: ChannelEvent | null; actorId: string | null } {
  // A newer build's entry takes its position here, too: only its content is not ours to read.
  if (line.v > LINE_VERSION) return { event: null, actorId: null };
  // An entry of an older epoch is in Postgres: a header of this one is loaded only then.
  const message = messageOf(line, line.place.epoch < settled.epoch || line.place.n <= settled.persistedN);
  if (message) {
    const event = { type: 'message.created' as const, channelId: message.channelId, at: line.place.at, message };
    return { event, actorId: message.senderId };
  }
  if (line.kind !== ENTRY_KINDS.joined && line.kind !== ENTRY_KINDS.left && line.kind !== ENTRY_KINDS.updated) {
    return { event: null, actorId: null };
  }
  const payload = JSON.parse(line.json) as MemberPayload;
  return { event: memberEvent(line, payload), actorId: payload.actorId };
}

/** An entry from its line. Throws when the payload cannot be read; its position is still taken (see `silentEntry`). */
export function entryFromLine(line: LogLine, settled: SettledState): FeedEntry {
  const isHole = line.place.epoch === settled.epoch && settled.holes.some((hole) => hole.n === line.place.n);
  if (isHole) return { ...silentEntry(line), hole: true };
  return { ...silentEntry(line), ...eventFromLine(line, settled) };
}

/** The entry of a line of which only the place is used. */
export function silentEntry(line: LogLine): FeedEntry {
  const { epoch, n, m, at } = line.place;
  return { place: { epoch, n }, id: positionOf(line), m, at, event: null, hole: false, actorId: null };
}

function eventFromChange(channelId: string, change: StoredChange): ChannelEvent | null {
  const inChannel = { channelId, at: change.at, position: change.position };
  if (change.kind === ENTRY_KINDS.left && change.target !== null) {
    return { type: 'member.left', ...inChannel, userId: change.target };
  }
  // A member who is gone by now: the entry that says so follows.
  if (change.member === null) return null;
  if (change.kind === ENTRY_KINDS.joined) return { type: 'member.joined', ...inChannel, member: change.member };
  if (change.kind === ENTRY_KINDS.updated) return { type: 'member.updated', ...inChannel, member: change.member };
  return null;
}

const HOLE_KINDS = new Set(['s', 'x']);

/** What Postgres has after a position, messages and changes in one order. */
export function entriesFromHistory(channelId: string, history: History): FeedEntry[] {
  const messages = history.messages.map((message): FeedEntry => {
    const event: ChannelEvent = { type: 'message.created', channelId, at: message.sentAt, message };
    const place = parsePosition(message.position);
    return { place, id: message.position, m: null, at: message.sentAt, event, hole: false, actorId: message.senderId };
  });
  const changes = history.changes.map((change): FeedEntry => {
    const event = eventFromChange(channelId, change);
    const place = parsePosition(change.position);
    return {
      place,
      id: change.position,
      m: null,
      at: change.at,
      event,
      hole: HOLE_KINDS.has(change.kind),
      actorId: null,
    };
  });
  return [...messages, ...changes].sort((a, b) => comparePlaces(a.place, b.place));
}
