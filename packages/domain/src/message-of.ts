import type { Message } from '@parley/protocol';
import { type CreatedPayload, ENTRY_KINDS, LINE_VERSION, type LogLine, positionOf } from './log-line.ts';

/** The message of a `created` line as a client sees it; null for every other kind and for a version that this build cannot read. */
export function messageOf(line: LogLine, persisted: boolean): Message | null {
  if (line.kind !== ENTRY_KINDS.created || line.v > LINE_VERSION) return null;
  const payload = JSON.parse(line.json) as CreatedPayload;
  return {
    id: payload.id,
    channelId: payload.channelId,
    position: positionOf(line),
    clientMsgId: payload.clientMsgId,
    senderId: payload.senderId,
    body: payload.body,
    sentAt: line.place.at,
    editedAt: null,
    deletedAt: null,
    replyTo: payload.replyTo,
    threadOf: payload.threadOf,
    replyCount: 0,
    reactions: [],
    attachments: [...(payload.attachments ?? [])],
    mentions: [...payload.mentions],
    encrypted: payload.encrypted,
    persisted,
  };
}
