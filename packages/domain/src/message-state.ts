import { type Message, parsePosition, type Reaction } from '@parley/protocol';
import type { MessageState, Reactors, ThreadCount } from './log-line.ts';

/** A message as the stores know it: who reacted is told to nobody, only how many, and whether he himself did. */
export interface StoredMessage extends Message {
  readonly reactors: Reactors;
  /** Of a reply. */
  readonly thread?: ThreadCount;
}

/** Nobody has reacted. */
export const NO_REACTORS: Reactors = {};

/** Reactions as one user sees them, in an order that is the same wherever they come from. */
export function reactionsOf(reactors: Reactors, userId: string | null): Reaction[] {
  return Object.entries(reactors)
    .map(([emoji, users]) => ({ emoji, count: users.length, mine: userId !== null && users.includes(userId) }))
    .sort((a, b) => (a.emoji < b.emoji ? -1 : 1));
}

/** The message as one user sees it. */
export function shownTo(userId: string, stored: StoredMessage): Message {
  const { reactors, thread: _, ...message } = stored;
  return { ...message, reactions: reactionsOf(reactors, userId) };
}

/** What a deleted message still is: a place, a time, and who it was. */
export function withoutWords(message: StoredMessage, deletedAt: number): StoredMessage {
  return {
    ...message,
    body: '',
    deletedAt,
    reactions: [],
    reactors: NO_REACTORS,
    attachments: [],
    mentions: [],
    encrypted: null,
  };
}

/** The message as the log store's newer knowledge has it. */
export function withState(message: StoredMessage, state: MessageState | null): StoredMessage {
  if (!state) return message;
  const { body, editedAt, deletedAt, reactors, replyCount } = state;
  const newer = { ...message, body, editedAt, reactors, replyCount, reactions: reactionsOf(reactors, null) };
  return deletedAt === null ? newer : withoutWords(newer, deletedAt);
}

/** What the log store is told of a message that it has no state of. */
export function stateOf(message: StoredMessage): MessageState {
  const { senderId, position, threadOf, body, editedAt, deletedAt, reactors, replyCount } = message;
  return { senderId, position, threadOf, body, editedAt, deletedAt, reactors, replyCount };
}

/** Whether a message is in Postgres, by the mark of its epoch or of a later one. */
export function isSettled(position: Message['position'], mark: { epoch: number; persistedN: number }): boolean {
  const { epoch, n } = parsePosition(position);
  return epoch < mark.epoch || n <= mark.persistedN;
}
