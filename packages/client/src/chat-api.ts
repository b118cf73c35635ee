import type { Answer, answers, ChannelEvent, InboxEvent, Input } from '@parley/protocol';

/** Procedures that answer once. */
export type CallPath = keyof typeof answers;

/** Procedures that go on, and what each tells. */
export interface FeedEvents {
  'feed.channel': ChannelEvent;
  'feed.inbox': InboxEvent;
}

export interface FeedObserver<E> {
  /** `id` is the event's tracked id: for `feed.channel` the position to resume after. */
  onEvent(id: string, event: E): void;
  /** The feed is over and will not come back by itself. Null: the connection was closed for good. */
  onEnd(error: unknown): void;
}

/**
 * What the client needs of the server. A call that throws may have happened: only `failureOf` tells a refusal from an unknown outcome.
 * A feed survives reconnects by itself, resumed after the last event that it delivered.
 */
export interface ChatApi {
  call<K extends CallPath>(path: K, input: Input<K>, signal?: AbortSignal): Promise<Answer<K>>;
  /** Returns what ends the feed. After that, nothing more is delivered. */
  feed<K extends keyof FeedEvents>(path: K, input: Input<K>, observer: FeedObserver<FeedEvents[K]>): () => void;
}
