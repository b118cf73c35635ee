import type { ChannelEvent, Member, Place, Position } from '@parley/protocol';
import {
  type AmendPayload,
  type ChannelPayload,
  ENTRY_KINDS,
  LINE_VERSION,
  type LogLine,
  type MemberPayload,
  positionOf,
  type Reactors,
} from './log-line.ts';
import { editedMessageOf, messageOf } from './message-of.ts';
import { isSettled, reactionsOf, type StoredMessage } from './message-state.ts';
import type { ChannelView } from './ports/channel-view.ts';
import { roleOf } from './ranks.ts';

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
  /** Of an event that shows a message with reactions: who has reacted. */
  readonly reactors: Reactors | null;
}

/** What an entry shows. */
export type Shown = Pick<FeedEntry, 'event' | 'actorId' | 'reactors'>;

/** Nothing. */
export const SILENT: Shown = { event: null, actorId: null, reactors: null };

/** The entry's event as one user sees it: everybody's is one object but for those who have reacted themselves. */
export function eventFor({ event, reactors }: FeedEntry, userId: string): ChannelEvent | null {
  if (!event || !reactors || !Object.values(reactors).some((users) => users.includes(userId))) return event;
  const reactions = reactionsOf(reactors, userId);
  if (event.type === 'reaction.changed') return { ...event, reactions };
  if (event.type !== 'message.created' && event.type !== 'message.updated') return event;
  return { ...event, message: { ...event.message, reactions } };
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

function eventFromLine(line: LogLine, settled: SettledState): Shown {
  // A newer build's entry takes its position here, too: only its content is not ours to read.
  if (line.v > LINE_VERSION) return SILENT;
  switch (line.kind) {
    case ENTRY_KINDS.created:
      return createdFromLine(line, settled);
    case ENTRY_KINDS.joined:
    case ENTRY_KINDS.left:
    case ENTRY_KINDS.updated: {
      const payload = JSON.parse(line.json) as MemberPayload;
      return { ...SILENT, event: memberEvent(line, payload), actorId: payload.actorId };
    }
    case ENTRY_KINDS.edited:
    case ENTRY_KINDS.deleted:
    case ENTRY_KINDS.reacted:
      return amendedFromLine(line, settled);
    case ENTRY_KINDS.changed:
      return changedFromLine(line);
    default:
      return SILENT;
  }
}

function createdFromLine(line: LogLine, settled: SettledState): Shown {
  // An entry of an older epoch is in Postgres: a header of this one is loaded only then.
  const stored = messageOf(line, isSettled(positionOf(line), settled));
  return stored ? createdShown(stored) : SILENT;
}

/** A message that was said. */
export function createdShown(stored: StoredMessage): Shown {
  const { reactors, thread, ...message } = stored;
  const { channelId, sentAt: at, senderId: actorId } = message;
  return {
    event: { type: 'message.created', channelId, at, message, ...(thread && { thread }) },
    actorId,
    reactors: orNull(reactors),
  };
}

function amendedFromLine(line: LogLine, settled: SettledState): Shown {
  const payload = JSON.parse(line.json) as AmendPayload;
  const { channelId, actorId, messageId, state, thread } = payload;
  const inChannel = { channelId, at: line.place.at, position: positionOf(line) };
  if (line.kind === ENTRY_KINDS.reacted) {
    const reactions = reactionsOf(state.reactors, null);
    return {
      event: { type: 'reaction.changed', ...inChannel, messageId, reactions },
      actorId,
      reactors: orNull(state.reactors),
    };
  }
  if (line.kind === ENTRY_KINDS.deleted) {
    const deleted = { messageId, messagePosition: state.position, deletedAt: state.deletedAt ?? inChannel.at };
    return {
      ...SILENT,
      event: { type: 'message.deleted', ...inChannel, ...deleted, ...(thread && { thread }) },
      actorId,
    };
  }
  const stored = editedMessageOf(payload, isSettled(state.position, settled));
  return stored ? { ...updatedShown(inChannel, stored), actorId } : { ...SILENT, actorId };
}

function changedFromLine(line: LogLine): Shown {
  const { channelId, actorId, state, memberCount, channel } = JSON.parse(line.json) as ChannelPayload;
  const { name, topic, avatarUrl, archivedAt } = state;
  const whole = { id: channelId, ...channel, name, topic, avatarUrl, archivedAt, memberCount };
  const inChannel = { channelId, at: line.place.at, position: positionOf(line) };
  return { ...SILENT, event: { type: 'channel.updated', ...inChannel, channel: whole }, actorId };
}

type InChannel = { readonly channelId: string; readonly at: number; readonly position: Position };

/** A message that was changed. */
export function updatedShown(inChannel: InChannel, { reactors, thread: _, ...message }: StoredMessage): Shown {
  return { ...SILENT, event: { type: 'message.updated', ...inChannel, message }, reactors: orNull(reactors) };
}

function orNull(reactors: Reactors): Reactors | null {
  return Object.keys(reactors).length > 0 ? reactors : null;
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
  return { place: { epoch, n }, id: positionOf(line), m, at, hole: false, ...SILENT };
}
