import { type ChannelEvent, parsePosition } from '@parley/protocol';
import { createdShown, type FeedEntry, type Shown, SILENT, updatedShown } from './feed-entry.ts';
import { ENTRY_KINDS } from './log-line.ts';
import { reactionsOf } from './message-state.ts';
import type { History, StoredChange } from './ports/archive.ts';
import { comparePlaces } from './sequence.ts';

const HOLE_KINDS = new Set(['s', 'x']);

/** What Postgres has after a position, messages and changes in one order, each as it is now. */
export function entriesFromHistory(channelId: string, history: History): FeedEntry[] {
  const messages = history.messages.map((message): FeedEntry => {
    const place = parsePosition(message.position);
    return { place, id: message.position, m: null, at: message.sentAt, hole: false, ...createdShown(message) };
  });
  const changes = history.changes.map((change): FeedEntry => {
    const { position: id, at, kind } = change;
    return { place: parsePosition(id), id, m: null, at, hole: HOLE_KINDS.has(kind), ...shownOf(channelId, change) };
  });
  return [...messages, ...changes].sort((a, b) => comparePlaces(a.place, b.place));
}

function shownOf(channelId: string, change: StoredChange): Shown {
  const event = memberEvent(channelId, change);
  if (event) return { ...SILENT, event };
  const inChannel = { channelId, at: change.at, position: change.position };
  const { kind, message, channel } = change;
  if (channel && kind === ENTRY_KINDS.changed)
    return { ...SILENT, event: { type: 'channel.updated', ...inChannel, channel } };
  // What is gone by now was deleted by an entry that follows, or by retention.
  if (!message) return SILENT;
  const { id: messageId, position: messagePosition, deletedAt, thread, reactors } = message;
  switch (kind) {
    case ENTRY_KINDS.edited:
      return updatedShown(inChannel, message);
    case ENTRY_KINDS.reacted:
      return {
        ...SILENT,
        event: { type: 'reaction.changed', ...inChannel, messageId, reactions: reactionsOf(reactors, null) },
        reactors,
      };
    case ENTRY_KINDS.deleted: {
      const deleted = { messageId, messagePosition, deletedAt: deletedAt ?? change.at };
      return { ...SILENT, event: { type: 'message.deleted', ...inChannel, ...deleted, ...(thread && { thread }) } };
    }
    default:
      return SILENT;
  }
}

function memberEvent(channelId: string, change: StoredChange): ChannelEvent | null {
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
