/** For callers that build a stock client of their own. */
// biome-ignore lint/correctness/noUndeclaredDependencies: a type only, which a published client carries in its own declarations
export type { AppRouter } from '@parley/api/router';
export type { MembersSnapshot } from './channel/channel-members.ts';
export type { ChannelSnapshot, OpenThread } from './channel/channel-view.ts';
export { changedMessage } from './channel/intended-message.ts';
export { type Receipts, receiptsOf } from './channel/receipts.ts';
export type { HistorySnapshot } from './channel/shown-history.ts';
export type { DeliveryMark, ShownMessage } from './channel/shown-message.ts';
export type { CallPath, ChatApi, FeedEvents, FeedObserver } from './chat-api.ts';
export type { ChatClient } from './chat-client.ts';
export type { ClientClock } from './clock.ts';
export type { ConnectionState } from './connection/connection-status.ts';
export { type ChatClientOptions, createChatClient } from './create-chat-client.ts';
export { failureOf } from './failure.ts';
export type { Announcement, DegradedStore, InboxSnapshot } from './inbox/inbox-snapshot.ts';
export type { Invitation } from './inbox/invitations.ts';
export type { OpenChannel } from './open-channels.ts';
export type {
  Change,
  ChangeKind,
  DurableOperation,
  OutboxEntry,
  OutboxItem,
  Refusal,
  SendDraft,
} from './outbox/entry.ts';
export { indexedDbOutboxStorage } from './outbox/indexed-db-storage.ts';
export { memoryOutboxStorage, type OutboxStorage } from './outbox/storage.ts';
export { type Random, retryDelayMs } from './retry-delay.ts';
export type { Store } from './store.ts';
export type { Presence } from './watched-presence.ts';
