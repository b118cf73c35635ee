import { comparePositions, type Message, type Position, type Reaction } from '@parley/protocol';
import { messageNeeded, type OutboxItem } from '../outbox/entry.ts';
import { emptied } from './message-change.ts';

/**
 * The changes of messages among a channel's items that a view cannot have from the server yet: not accepted, or accepted at a position
 * that its feed has not reached. Refused ones are none: what they changed is as it was before.
 */
export function intentsOf(items: readonly OutboxItem[], reachedTo: Position): ReadonlyMap<string, OutboxItem[]> {
  const byMessage = new Map<string, OutboxItem[]>();
  for (const item of items) {
    const messageId = changedMessage(item);
    const { acceptance, state } = item;
    if (messageId === null || state === 'failed') continue;
    if (acceptance && comparePositions(acceptance.position, reachedTo) <= 0) continue;
    byMessage.set(messageId, [...(byMessage.get(messageId) ?? []), item]);
  }
  return byMessage;
}

/** The message that an operation changes; null for one that changes none. */
export function changedMessage({ operation }: OutboxItem): string | null {
  return operation.kind === 'send' ? null : messageNeeded(operation);
}

/** The message as its user wants it. What has come true already changes nothing. */
export function asIntended(message: Message, intents: readonly OutboxItem[]): Message {
  return intents.reduce(intend, message);
}

function intend(message: Message, { operation, createdAt }: OutboxItem): Message {
  if (message.deletedAt !== null) return message;
  switch (operation.kind) {
    case 'message.edit': {
      const { body } = operation.input;
      return body === message.body ? message : { ...message, body, editedAt: createdAt };
    }
    case 'message.delete':
      return emptied(message, createdAt);
    case 'reaction.add':
    case 'reaction.remove': {
      const { emoji } = operation.input;
      return { ...message, reactions: reacted(message.reactions, emoji, operation.kind === 'reaction.add') };
    }
    default:
      return message;
  }
}

function reacted(reactions: readonly Reaction[], emoji: string, mine: boolean): Reaction[] {
  const known = reactions.find((each) => each.emoji === emoji) ?? { emoji, count: 0, mine: false };
  if (known.mine === mine) return [...reactions];
  const changed = { emoji, mine, count: known.count + (mine ? 1 : -1) };
  const others = reactions.filter((each) => each.emoji !== emoji);
  const at = reactions.findIndex((each) => each.emoji === emoji);
  if (changed.count <= 0) return others;
  return at < 0 ? [...others, changed] : reactions.map((each) => (each.emoji === emoji ? changed : each));
}
