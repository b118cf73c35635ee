import type { ChannelEvent, Message } from '@parley/protocol';

/** What becomes of one message. */
export interface MessageChange {
  readonly messageId: string;
  readonly change: (message: Message) => Message;
}

/** What a deleted message has lost, for everybody. */
const NOTHING = { body: '', reactions: [], attachments: [], mentions: [], encrypted: null };

/** The message without its words; its place stays. */
export function emptied(message: Message, deletedAt: number): Message {
  return { ...message, ...NOTHING, deletedAt };
}

/** What an event changes of messages that are there already. Each leaves a message as it is from then on, so that it may come twice. */
export function changesOf(event: ChannelEvent): MessageChange[] {
  switch (event.type) {
    case 'message.created':
      return inThread(event.thread);
    case 'message.updated': {
      const { message } = event;
      const change = (known: Message) => ({ ...message, persisted: message.persisted || known.persisted });
      return [{ messageId: message.id, change }];
    }
    case 'message.deleted': {
      const change = (known: Message) => emptied(known, event.deletedAt);
      return [{ messageId: event.messageId, change }, ...inThread(event.thread)];
    }
    case 'reaction.changed':
      return [{ messageId: event.messageId, change: (known) => ({ ...known, reactions: event.reactions }) }];
    default:
      return [];
  }
}

function inThread(thread: { messageId: string; replyCount: number } | undefined): MessageChange[] {
  if (!thread) return [];
  return [{ messageId: thread.messageId, change: (known) => ({ ...known, replyCount: thread.replyCount }) }];
}
