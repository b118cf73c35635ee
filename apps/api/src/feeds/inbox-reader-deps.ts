import type { ChannelViews, Invitation } from '@parley/domain';
import type { ChannelSummary } from '@parley/protocol';
import type { Hub } from '../hub/hub.ts';

/** What an inbox is read from. */
export interface InboxReaderDeps {
  readonly hub: Pick<Hub, 'attach' | 'detach' | 'attachUser' | 'detachUser'>;
  readonly views: Pick<ChannelViews, 'views'>;
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  /** The user's channels, newest activity first: the first page. */
  summaries(userId: string): Promise<ChannelSummary[]>;
  /** Channels that the user may come into. */
  invitations(userId: string): Promise<Invitation[]>;
  /** One of them; null when the user is no member. */
  summary(userId: string, channelId: string): Promise<ChannelSummary | null>;
  /** A fresh UUID. */
  newId(): string;
}
