import { comparePositions, type Message, type Position } from '@parley/protocol';
import type { OutboxItem, Refusal } from '../outbox/entry.ts';
import { messageKey } from './message-list.ts';

/**
 * How far an own message has come: `pending` on its way · `accepted` in the log, seen by everybody · `persisted` in Postgres ·
 * `failed` refused for good, until it is retried or discarded.
 */
export type DeliveryMark = 'pending' | 'accepted' | 'persisted' | 'failed';

/** A message as a view shows it: of the log, or still the outbox's alone. */
export interface ShownMessage {
  /** Stays the same from the first keystroke after `send` on, whatever becomes of the message. */
  readonly key: string;
  readonly clientMsgId: string;
  readonly senderId: string;
  readonly isOwn: boolean;
  readonly body: string;
  readonly sentAt: number;
  readonly position: Position | null;
  readonly mark: DeliveryMark;
  readonly refusal: Refusal | null;
  /** Null until the log has it. */
  readonly message: Message | null;
}

/** What a channel's list is made of. */
export interface ShownParts {
  readonly messages: readonly Message[];
  /** The outbox's items of the channel. */
  readonly items: readonly OutboxItem[];
  /** Items that left the outbox persisted, but whose message has not come yet. */
  readonly settled: readonly OutboxItem[];
  readonly selfId: string;
  /** What was made of a message before, so that what did not change stays the same object. */
  readonly known: WeakMap<Message, ShownMessage>;
}

/** History and outbox as one list: what has a position in its order, what has none after it, each message once. */
export function mergeShown({ messages, items, settled, selfId, known }: ShownParts): ShownMessage[] {
  const waiting = new Map(items.map((item) => [item.id, item]));
  const shown = messages.map((message) => {
    const item = message.senderId === selfId ? waiting.get(message.clientMsgId) : undefined;
    if (item) waiting.delete(item.id);
    if (item) return fromLog(message, item, selfId);
    const same = known.get(message) ?? fromLog(message, undefined, selfId);
    known.set(message, same);
    return same;
  });
  for (const item of settled) insert(shown, fromOutbox(item, 'persisted', selfId));
  for (const item of waiting.values()) insert(shown, fromOutbox(item, item.state, selfId));
  return shown;
}

function fromLog(message: Message, item: OutboxItem | undefined, selfId: string): ShownMessage {
  const inLog = message.persisted ? 'persisted' : 'accepted';
  return {
    key: messageKey(message),
    clientMsgId: message.clientMsgId,
    senderId: message.senderId,
    isOwn: message.senderId === selfId,
    body: message.body,
    sentAt: message.sentAt,
    position: message.position,
    mark: item && item.state !== 'accepted' ? item.state : inLog,
    refusal: item?.refusal ?? null,
    message,
  };
}

function fromOutbox(item: OutboxItem, mark: DeliveryMark, selfId: string): ShownMessage {
  return {
    key: messageKey({ senderId: selfId, clientMsgId: item.id }),
    clientMsgId: item.id,
    senderId: selfId,
    isOwn: true,
    body: item.operation.draft.body,
    sentAt: item.acceptance?.sentAt ?? item.createdAt,
    position: item.acceptance?.position ?? null,
    mark,
    refusal: item.refusal,
    message: null,
  };
}

function insert(shown: ShownMessage[], one: ShownMessage): void {
  const { position } = one;
  if (position === null) {
    shown.push(one);
    return;
  }
  const before = shown.findLastIndex((each) => each.position !== null && comparePositions(each.position, position) < 0);
  shown.splice(before + 1, 0, one);
}
