import { formatPosition } from '@parley/protocol';
import type { Missed, MissedMessage, MissedRange, Notice } from './ports/offline-store.ts';

/** Characters of a message that are shown outside of Parley. */
const EXCERPT_CHARS = 120;
const NO_NAME = 'a conversation';

/** Who or where it comes from: the sender of a direct channel, else the channel. */
export function noticeTitle({ channel, messages }: Notice): string {
  if (channel.kind === 'direct') return messages[0]?.senderName || NO_NAME;
  return channel.name || NO_NAME;
}

/** The newest message in a line, unless it is encrypted: then only that there is one. */
export function noticeText({ channel, messages, count }: Notice): string {
  const [newest] = messages;
  if (!newest || newest.body === null) return count === 1 ? 'New message' : `${count} new messages`;
  const words = excerptOf(newest) || 'sent an attachment';
  const line = channel.kind === 'direct' ? words : `${newest.senderName}: ${words}`;
  return count === 1 ? line : `${line} (${count} new messages)`;
}

/** The beginning of a message in one line; empty when it has no words that may be shown. */
export function excerptOf({ body }: Pick<MissedMessage, 'body'>): string {
  const line = (body ?? '').replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length <= EXCERPT_CHARS ? line : `${characters.slice(0, EXCERPT_CHARS - 1).join('')}…`;
}

/** What a push message carries. `id` is the same however often it comes; a page that shows it under `tag` shows one a channel. */
export function pushPayload(notice: Notice, id: string): string {
  const { channel, upTo, count, messages } = notice;
  const [newest] = messages;
  return JSON.stringify({
    type: 'messages.missed',
    id,
    tag: channel.id,
    channelId: channel.id,
    messageId: newest?.id ?? null,
    upTo: formatPosition(upTo),
    count,
    title: noticeTitle(notice),
    body: noticeText(notice),
    at: newest?.sentAt ?? null,
  });
}

/** Names what was missed without saying any of it: the words are read when they are told. */
export function rangeOf({ userId, channel, after, upTo }: Missed): MissedRange {
  return { userId, channelId: channel.id, after: formatPosition(after), upTo: formatPosition(upTo) };
}

/** What a webhook is sent. `id` and the range are the same however often it comes. */
export function webhookBody(missed: Missed, id: string): string {
  const { userId, channel, after, upTo, count, messages } = missed;
  return JSON.stringify({
    type: 'messages.missed',
    id,
    userId,
    channel: { id: channel.id, kind: channel.kind, name: channel.name },
    /** Exclusive and inclusive: two deliveries of one user and channel never overlap. */
    after: formatPosition(after),
    upTo: formatPosition(upTo),
    count,
    /** The newest ones, oldest first. */
    messages: messages.toReversed().map(({ id: messageId, place, senderId, sentAt, body }) => ({
      id: messageId,
      position: formatPosition(place),
      senderId,
      sentAt,
      body,
    })),
  });
}
