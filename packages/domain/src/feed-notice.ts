import { type ChannelEvent, ORIGIN } from '@parley/protocol';
import {
  type DeliveredPayload,
  type HolePayload,
  type LogLine,
  type LogPlace,
  NOTICE_KINDS,
  type PersistedPayload,
  positionOf,
  type ReadPayload,
} from './log-line.ts';

type Told<T extends ChannelEvent['type']> = Extract<ChannelEvent, { type: T }>;

/** What is published beside entries, with the event that a channel's feeds show. The newest of a key replaces the older ones. */
export type FeedNotice = { readonly key: string; readonly place: LogPlace } & (
  | { readonly type: 'persisted'; readonly event: Told<'message.persisted'> }
  | { readonly type: 'delivered'; readonly userId: string; readonly event: Told<'receipt.updated'> }
  | { readonly type: 'read'; readonly userId: string; readonly event: Told<'receipt.updated'> }
  | { readonly type: 'hole'; readonly hole: HolePayload; readonly event: Told<'message.superseded'> }
);

/** Whether a line is a notice: it takes no position. */
export function isNotice(line: LogLine): boolean {
  return Object.values<string>(NOTICE_KINDS).includes(line.kind);
}

/** Reads a notice; null when the line is none. Throws a SyntaxError when the payload is not JSON. */
export function noticeFromLine(channelId: string, line: LogLine): FeedNotice | null {
  const position = positionOf(line);
  const { place } = line;
  const inChannel = { channelId, at: place.at };
  switch (line.kind) {
    case NOTICE_KINDS.persisted: {
      const { holes } = JSON.parse(line.json) as PersistedPayload;
      const event = { type: 'message.persisted' as const, ...inChannel, upTo: position, holes: [...holes] };
      return { type: 'persisted', key: line.kind, place, event };
    }
    case NOTICE_KINDS.read: {
      const { userId } = JSON.parse(line.json) as ReadPayload;
      // What is read was delivered; a client keeps the greater of this and what it had.
      const event = { type: 'receipt.updated' as const, ...inChannel, userId, deliveredTo: position, readTo: position };
      return { type: 'read', key: `${line.kind} ${userId}`, place, userId, event };
    }
    case NOTICE_KINDS.delivered: {
      const { userId, readTo } = JSON.parse(line.json) as DeliveredPayload;
      const cursors = { deliveredTo: position, readTo: readTo === ORIGIN ? null : readTo };
      const event = { type: 'receipt.updated' as const, ...inChannel, userId, ...cursors };
      return { type: 'delivered', key: `${line.kind} ${userId}`, place, userId, event };
    }
    case NOTICE_KINDS.hole: {
      const hole = JSON.parse(line.json) as HolePayload;
      const event = { type: 'message.superseded' as const, ...inChannel, position, by: hole.by };
      return { type: 'hole', key: `${line.kind} ${position}`, place, hole, event };
    }
    default:
      return null;
  }
}
