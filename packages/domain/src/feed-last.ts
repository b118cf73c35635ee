import type { ChannelEvent, Message } from '@parley/protocol';
import type { FeedEntry } from './feed-entry.ts';
import type { Reactors } from './log-line.ts';
import { reactionsOf } from './message-state.ts';

/** The newest message once this event has happened: another one, or the same as it was changed. */
export function lastAfter(last: Message | null, event: ChannelEvent | null): Message | null {
  switch (event?.type) {
    case 'message.created':
      return event.message;
    case 'message.updated':
      return event.message.id === last?.id ? event.message : last;
    case 'reaction.changed':
      return event.messageId === last?.id ? { ...last, reactions: event.reactions } : last;
    case 'message.deleted': {
      if (event.messageId !== last?.id) return last;
      const nothing = { body: '', reactions: [], attachments: [], mentions: [], encrypted: null };
      return { ...last, ...nothing, deletedAt: event.deletedAt };
    }
    default:
      return last;
  }
}

/** The newest message of a channel, for any of its readers. */
export interface Newest {
  readonly message: Message;
  readonly reactors: Reactors | null;
}

/** The newest message once this entry was delivered; null as long as none was. */
export function newestAfter(newest: Newest | null, entry: FeedEntry): Newest | null {
  const message = lastAfter(newest?.message ?? null, entry.event);
  if (!message || message === newest?.message) return newest;
  return { message, reactors: entry.reactors };
}

/** The newest message as one user sees it. */
export function newestFor({ message, reactors }: Newest, userId: string): Message {
  return reactors ? { ...message, reactions: reactionsOf(reactors, userId) } : message;
}
