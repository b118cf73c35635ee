import {
  type ChannelSummary,
  comparePositions,
  type FailureData,
  type InboxEvent,
  type Message,
  type Position,
} from '@parley/protocol';
import { type Invitation, invitedTo, withoutChannel } from './invitations.ts';

/** A store of the server's whose loss it lives with. */
export type DegradedStore = Extract<InboxEvent, { type: 'degraded' }>['store'];

/** What an operator tells everybody. */
export type Announcement = Pick<Extract<InboxEvent, { type: 'announcement' }>, 'announcementId' | 'text' | 'at'>;

/** Of more mentions the oldest are left out; each channel's count is whole. */
const MENTIONS_MAX = 50;

export interface InboxSnapshot {
  readonly state: 'loading' | 'ready' | 'closed';
  readonly failure: FailureData | null;
  /** Newest activity first. */
  readonly channels: readonly ChannelSummary[];
  readonly invitations: readonly Invitation[];
  /** Messages that mention the user, came while this client ran, and are not read: newest first. */
  readonly mentions: readonly Message[];
  /** Newest first, until they are dismissed. */
  readonly announcements: readonly Announcement[];
  readonly degraded: readonly DegradedStore[];
}

export const EMPTY_INBOX: InboxSnapshot = {
  state: 'loading',
  failure: null,
  channels: [],
  invitations: [],
  mentions: [],
  announcements: [],
  degraded: [],
};

/** The inbox once this event has happened: the same object when it changes nothing. */
export function inboxAfter(inbox: InboxSnapshot, event: InboxEvent): InboxSnapshot {
  switch (event.type) {
    case 'snapshot':
      return { ...inbox, state: 'ready', failure: null, channels: [...event.channels].sort(byActivity), degraded: [] };
    case 'channel.added': {
      const invitations = withoutChannel(inbox.invitations, event.channelId);
      return { ...withChannel(inbox, event.channel), invitations };
    }
    case 'channel.removed':
      return { ...inbox, channels: inbox.channels.filter((each) => each.id !== event.channelId) };
    case 'channel.invited': {
      const { channel, invitedBy, at: invitedAt } = event;
      return { ...inbox, invitations: invitedTo(inbox.invitations, { channel, invitedBy, invitedAt }) };
    }
    case 'channel.activity': {
      const { head, unread, mentions, lastMessage } = event;
      return changed(inbox, event.channelId, { head, unread, mentions, lastMessage });
    }
    case 'read': {
      const { readTo, unread, mentions = unread === 0 ? 0 : undefined, channelId } = event;
      const rest = inbox.mentions.filter((message) => message.channelId !== channelId || isAfter(message, readTo));
      const counts = mentions === undefined ? { unread } : { unread, mentions };
      return { ...changed(inbox, channelId, { readTo, ...counts }), mentions: rest };
    }
    case 'mention': {
      const others = inbox.mentions.filter((message) => message.id !== event.message.id);
      return { ...inbox, mentions: [event.message, ...others].slice(0, MENTIONS_MAX) };
    }
    case 'announcement': {
      const { announcementId, text, at } = event;
      const others = withoutAnnouncement(inbox, announcementId).announcements;
      return { ...inbox, announcements: [{ announcementId, text, at }, ...others] };
    }
    case 'degraded':
      return { ...inbox, degraded: [...inbox.degraded.filter((each) => each !== event.store), event.store] };
    case 'recovered':
      return { ...inbox, degraded: inbox.degraded.filter((each) => each !== event.store) };
    default:
      return inbox;
  }
}

/** With a channel in its place, whether it was there or not. */
export function withChannel(inbox: InboxSnapshot, channel: ChannelSummary): InboxSnapshot {
  const others = inbox.channels.filter((each) => each.id !== channel.id);
  return { ...inbox, channels: [...others, channel].sort(byActivity) };
}

/** With another state of a channel; the same inbox when it is not there. */
export function changed(inbox: InboxSnapshot, channelId: string, change: Partial<ChannelSummary>): InboxSnapshot {
  const channel = inbox.channels.find((each) => each.id === channelId);
  return channel ? withChannel(inbox, { ...channel, ...change }) : inbox;
}

export function withoutAnnouncement(inbox: InboxSnapshot, announcementId: string): InboxSnapshot {
  return { ...inbox, announcements: inbox.announcements.filter((each) => each.announcementId !== announcementId) };
}

function isAfter({ position }: Message, readTo: Position | null): boolean {
  return readTo === null || comparePositions(position, readTo) > 0;
}

function byActivity(a: ChannelSummary, b: ChannelSummary): number {
  return lastActivity(b) - lastActivity(a) || (a.id < b.id ? -1 : 1);
}

function lastActivity(channel: ChannelSummary): number {
  return Math.max(channel.createdAt, channel.lastMessage?.sentAt ?? 0);
}
