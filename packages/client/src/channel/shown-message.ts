import { comparePositions, type Message, type Position, type Reaction } from '@parley/protocol';
import type { OutboxItem, Refusal, SendDraft } from '../outbox/entry.ts';
import { asIntended, intentsOf } from './intended-message.ts';
import { messageKey } from './message-list.ts';

/**
 * How far an own message has come: `pending` on its way · `accepted` in the log, seen by everybody · `persisted` in Postgres ·
 * `failed` refused for good, until it is retried or discarded.
 */
export type DeliveryMark = 'pending' | 'accepted' | 'persisted' | 'failed';

/** A message as a view shows it: of the log, or still the outbox's alone, with what its user has changed and the server not told yet. */
export interface ShownMessage {
  /** Stays the same from the first keystroke after `send` on, whatever becomes of the message. */
  readonly key: string;
  readonly clientMsgId: string;
  /** Null until the log has it: before that it cannot be changed. */
  readonly messageId: string | null;
  readonly senderId: string;
  readonly isOwn: boolean;
  readonly body: string;
  readonly sentAt: number;
  readonly editedAt: number | null;
  readonly deletedAt: number | null;
  readonly threadOf: string | null;
  readonly replyCount: number;
  readonly reactions: readonly Reaction[];
  readonly mentions: readonly string[];
  readonly position: Position | null;
  readonly mark: DeliveryMark;
  readonly refusal: Refusal | null;
  /** An own edit, deletion or reaction is shown that the server has not told yet. */
  readonly isChanging: boolean;
  /** As the server told it; null until the log has it. */
  readonly message: Message | null;
}

/** What a channel's list is made of. */
export interface ShownParts {
  readonly messages: readonly Message[];
  /** The feed is here. */
  readonly reachedTo: Position;
  /** The outbox's items of the channel. */
  readonly items: readonly OutboxItem[];
  /** Items that left the outbox persisted, but whose message or change has not come yet. */
  readonly settled: readonly OutboxItem[];
  readonly selfId: string;
  /** What was made of a message before, so that what did not change stays the same object. */
  readonly known: WeakMap<Message, ShownMessage>;
}

/** History and outbox as one list: what has a position in its order, what has none after it, each message once. */
export function mergeShown({ messages, reachedTo, items, settled, selfId, known }: ShownParts): ShownMessage[] {
  const waiting = new Map(items.map((item) => [item.id, item]));
  const intents = intentsOf([...settled, ...items], reachedTo);
  const shown = messages.map((message) => {
    const item = message.senderId === selfId ? waiting.get(message.clientMsgId) : undefined;
    const intended = intents.get(message.id);
    if (item) waiting.delete(item.id);
    if (item || intended) return fromLog(message, { item, intended, selfId });
    const same = known.get(message) ?? fromLog(message, { selfId });
    known.set(message, same);
    return same;
  });
  for (const item of settled) {
    if (item.operation.kind === 'send')
      insert(shown, fromOutbox(item, item.operation.draft, { selfId, mark: 'persisted' }));
  }
  for (const item of waiting.values()) {
    if (item.operation.kind === 'send')
      insert(shown, fromOutbox(item, item.operation.draft, { selfId, mark: item.state }));
  }
  return shown;
}

interface Own {
  readonly item?: OutboxItem | undefined;
  readonly intended?: readonly OutboxItem[] | undefined;
  readonly selfId: string;
}

function fromLog(message: Message, { item, intended = [], selfId }: Own): ShownMessage {
  const inLog = message.persisted ? 'persisted' : 'accepted';
  const { body, editedAt, deletedAt, reactions, mentions } = asIntended(message, intended);
  return {
    key: messageKey(message),
    clientMsgId: message.clientMsgId,
    messageId: message.id,
    senderId: message.senderId,
    isOwn: message.senderId === selfId,
    body,
    sentAt: message.sentAt,
    editedAt,
    deletedAt,
    threadOf: message.threadOf,
    replyCount: message.replyCount,
    reactions,
    mentions,
    position: message.position,
    mark: item && item.state !== 'accepted' ? item.state : inLog,
    refusal: item?.refusal ?? null,
    isChanging: intended.length > 0,
    message,
  };
}

function fromOutbox(item: OutboxItem, draft: SendDraft, own: { selfId: string; mark: DeliveryMark }): ShownMessage {
  return {
    key: messageKey({ senderId: own.selfId, clientMsgId: item.id }),
    clientMsgId: item.id,
    messageId: item.acceptance?.messageId ?? null,
    senderId: own.selfId,
    isOwn: true,
    body: draft.body,
    sentAt: item.acceptance?.sentAt ?? item.createdAt,
    editedAt: null,
    deletedAt: null,
    threadOf: draft.threadOf ?? null,
    replyCount: 0,
    reactions: [],
    mentions: draft.mentions ?? [],
    position: item.acceptance?.position ?? null,
    mark: own.mark,
    refusal: item.refusal,
    isChanging: false,
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
