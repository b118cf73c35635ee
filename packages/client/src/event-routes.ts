import type { ChannelEvent, InboxEvent } from '@parley/protocol';
import type { InboxView } from './inbox/inbox-view.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { OwnReceipts } from './own-receipts.ts';
import type { People } from './people.ts';
import type { Self } from './self.ts';
import type { WatchedPresence } from './watched-presence.ts';

/** The parts of a client that hear of each other's feeds. */
export interface RoutedParts {
  readonly inbox: InboxView;
  readonly outbox: Outbox;
  readonly people: People;
  readonly presence: WatchedPresence;
  readonly receipts: OwnReceipts;
  readonly self: Self;
  readonly connection: { proven(): void };
  readonly onProblem: (error: unknown) => void;
}

/** What an open channel tells the rest of the client. */
export function routeChannelEvent({ inbox, people, presence, receipts, self }: RoutedParts, event: ChannelEvent): void {
  const { channelId } = event;
  switch (event.type) {
    case 'opened':
      // A feed tells of presence what has changed since it was opened.
      presence.refresh();
      break;
    case 'message.created':
      receipts.arrived(event.message, self.known);
      break;
    case 'presence.changed':
      presence.told(event.userId, event);
      break;
    case 'member.joined':
    case 'member.updated':
      people.meet(event.member.user);
      inbox.refresh(channelId);
      break;
    case 'member.left':
      inbox.refresh(channelId);
      break;
    case 'channel.updated': {
      const { name, topic, avatarUrl, archivedAt } = event.channel;
      inbox.change(channelId, { name, topic, avatarUrl, archivedAt });
      break;
    }
    default:
      break;
  }
}

/** What the inbox tells the rest of the client. */
export function routeInboxEvent(parts: RoutedParts, event: InboxEvent): void {
  const { outbox, receipts, self } = parts;
  switch (event.type) {
    case 'snapshot':
      connected(parts, event);
      break;
    case 'channel.activity':
      if (event.lastMessage) receipts.arrived(event.lastMessage, self.known);
      break;
    case 'read':
      receipts.told(event.channelId, event.readTo);
      break;
    case 'message.persisted':
      outbox.markPersisted(event.channelId, event.upTo, event.holes);
      break;
    case 'message.superseded':
      outbox.markSuperseded(event.channelId, event.position, event.by);
      break;
    case 'message.rejected':
      outbox.markRejected(event.channelId, event.clientMsgId, event.reason);
      break;
    default:
      break;
  }
}

function connected(parts: RoutedParts, { channels }: Extract<InboxEvent, { type: 'snapshot' }>): void {
  const { connection, outbox, people, presence, receipts, self, onProblem } = parts;
  connection.proven();
  outbox.wake();
  presence.refresh();
  for (const { id, readTo, unread, lastMessage } of channels) {
    receipts.told(id, readTo);
    if (unread > 0 && lastMessage) receipts.arrived(lastMessage, self.known);
  }
  self.ask().then((me) => people.learn(me ? [me] : []), onProblem);
}
