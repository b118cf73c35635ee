import type { ChannelViews, MessageLog } from '@parley/domain';
import type { Log, Metrics } from '@parley/runtime';
import type { RecentHistories } from './recent-histories.ts';

export interface HubDeps {
  readonly views: Pick<ChannelViews, 'views' | 'after'>;
  readonly histories: RecentHistories;
  readonly log: Pick<MessageLog, 'renew' | 'load'>;
  readonly clock: { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };
  readonly logger: Pick<Log, 'warn'>;
  readonly metrics: Pick<Metrics, 'counter' | 'gauge' | 'histogram'>;
  /** The time since a stamp of the log store's clock; without it latencies are not measured. */
  readonly secondsSince?: (at: number) => number;
  /** Whether what is published to a busy channel may wait a moment for more of the same. */
  readonly coalesce?: boolean;
  /** The thread's live connections: they hear by the hub when one of them may have to end. */
  readonly sessions?: { standing(userId: string): void; suspect(): void };
  /** What else of this thread knows something of a user who is no more. */
  readonly onErased?: (userId: string) => void;
}
