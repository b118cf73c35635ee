import { type Answer, PROCEDURE_KINDS } from '@parley/protocol';
import { createTRPCUntypedClient, type TRPCLink } from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import type { CallPath, ChatApi, FeedEvents, FeedObserver } from './chat-api.ts';

/** The protocol's procedures over tRPC links. The types are the protocol's own, so the router need not be there to build a client. */
export function createTrpcApi(links: TRPCLink<AnyTRPCRouter>[]): ChatApi {
  const client = createTRPCUntypedClient<AnyTRPCRouter>({ links });
  return {
    async call<K extends CallPath>(path: K, input: unknown, signal?: AbortSignal) {
      const answer = await client[PROCEDURE_KINDS[path]](path, input, signal ? { signal } : undefined);
      return answer as Answer<K>;
    },
    feed(path, input, observer) {
      return follow(observer, (callbacks) => client.subscription(path, input, callbacks));
    },
  };
}

interface Callbacks {
  onData(tracked: unknown): void;
  onError(error: unknown): void;
  onComplete(): void;
}

function follow<E extends FeedEvents[keyof FeedEvents]>(
  observer: FeedObserver<E>,
  subscribe: (callbacks: Callbacks) => { unsubscribe(): void },
): () => void {
  let over = false;
  const end = (error: unknown) => {
    if (over) return;
    over = true;
    observer.onEnd(error);
  };
  const subscription = subscribe({
    onData(value) {
      const { id, data } = value as { id: string; data: E };
      if (!over) observer.onEvent(id, data);
    },
    onError: end,
    onComplete: () => end(null),
  });
  return () => {
    over = true;
    subscription.unsubscribe();
  };
}
