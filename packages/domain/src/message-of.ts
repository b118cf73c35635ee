import type { Position } from '@parley/protocol';
import {
  type AmendPayload,
  type CreatedPayload,
  ENTRY_KINDS,
  LINE_VERSION,
  type LogLine,
  positionOf,
} from './log-line.ts';
import { NO_REACTORS, reactionsOf, type StoredMessage, withState } from './message-state.ts';

/** The message of a `created` line as it was said; null for every other kind and for a version that this build cannot read. */
export function messageOf(line: LogLine, persisted: boolean): StoredMessage | null {
  if (line.kind !== ENTRY_KINDS.created || line.v > LINE_VERSION) return null;
  const payload = JSON.parse(line.json) as CreatedPayload;
  const { body, thread } = payload;
  const place = { position: positionOf(line), sentAt: line.place.at, persisted };
  return { ...messageFrom(payload, place), body, ...(thread && { thread }) };
}

/** The message of an `edited` line as that edit left it. */
export function editedMessageOf(payload: AmendPayload, persisted: boolean): StoredMessage | null {
  const { message, state } = payload;
  if (!message) return null;
  const place = { position: state.position, sentAt: message.sentAt, persisted };
  return withState(messageFrom(message, place), state);
}

/** What no change of a message touches. */
function messageFrom(
  said: Omit<CreatedPayload, 'body' | 'thread'>,
  place: { position: Position; sentAt: number; persisted: boolean },
): StoredMessage {
  return {
    id: said.id,
    channelId: said.channelId,
    clientMsgId: said.clientMsgId,
    senderId: said.senderId,
    body: '',
    editedAt: null,
    deletedAt: null,
    replyTo: said.replyTo,
    threadOf: said.threadOf,
    replyCount: 0,
    reactions: reactionsOf(NO_REACTORS, null),
    reactors: NO_REACTORS,
    attachments: [],
    mentions: [...said.mentions],
    encrypted: said.encrypted,
    ...place,
  };
}
