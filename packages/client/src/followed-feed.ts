import type { FailureData, Input } from '@parley/protocol';
import type { ChatApi, FeedEvents } from './chat-api.ts';
import type { ClientClock } from './clock.ts';
import { failureOf } from './failure.ts';
import { type Random, retryDelayMs } from './retry-delay.ts';

export interface FollowOptions<K extends keyof FeedEvents> {
  readonly api: ChatApi;
  readonly clock: ClientClock;
  readonly random: Random;
  readonly path: K;
  /** Asked before each subscription, with the id of the last event that came. */
  readonly input: (lastEventId: string | null) => Input<K>;
  readonly onEvent: (event: FeedEvents[K], id: string) => void;
  /** The server refuses the feed for good. */
  readonly onRefused: (failure: FailureData) => void;
}

/**
 * Keeps a feed going: the connection carries it over reconnects, and one that fails is subscribed anew, after a jittered delay, from
 * the last event that came. Returns what ends it.
 */
export function followFeed<K extends keyof FeedEvents>(options: FollowOptions<K>): () => void {
  let attempts = 0;
  let lastEventId: string | null = null;
  let isOver = false;
  let end = subscribe();

  function subscribe(): () => void {
    return options.api.feed(options.path, options.input(lastEventId), {
      onEvent(id, event) {
        attempts = 0;
        lastEventId = id;
        options.onEvent(event, id);
      },
      onEnd(error) {
        // Null: the connection was closed for good, and nothing follows.
        if (error !== null && !isOver) onFailed(failureOf(error));
      },
    });
  }

  function onFailed(failure: FailureData | null): void {
    if (failure && !failure.retryable) {
      options.onRefused(failure);
      return;
    }
    const delayMs = (failure?.retryAfterMs ?? 0) + retryDelayMs(attempts, options.random);
    attempts += 1;
    end = options.clock.after(delayMs, () => {
      end = subscribe();
    });
  }

  return () => {
    isOver = true;
    end();
  };
}
