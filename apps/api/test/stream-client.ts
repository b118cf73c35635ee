import type { ChannelEvent, InboxEvent } from '@parley/protocol';
import { createTRPCClient, httpBatchLink, httpSubscriptionLink } from '@trpc/client';
import type { AppRouter } from '../src/router.ts';
import { TestEventSource } from './event-source.ts';

type BatchFetch = NonNullable<Parameters<typeof httpBatchLink>[0]['fetch']>;
type Position = `${number}-${number}`;

/** A client without sockets, made of the stock tRPC client alone. */
export interface StreamClient {
  readonly rpc: ReturnType<typeof createTRPCClient<AppRouter>>;
  /** The URLs of its streams, oldest first. */
  readonly urls: string[];
  /** Its EventSources, oldest first. */
  readonly sources: TestEventSource[];
  channel(channelId: string, lastEventId?: Position): Following<ChannelEvent>;
  inbox(): Following<InboxEvent>;
}

/** A feed as it comes. */
export interface Following<E> {
  readonly events: E[];
  readonly ids: string[];
  readonly errors: unknown[];
  bodies(): string[];
  types(): string[];
  leave(): void;
}

interface StreamClientOptions {
  /** Asked anew for each request: which node, and with which token. */
  base(): string;
  token(): string | Promise<string>;
}

export function streamClient({ base, token }: StreamClientOptions): StreamClient {
  const headers = async () => ({ authorization: `Bearer ${await token()}` });
  // The node may change between two calls, which the link's own URL may not.
  const toNode: BatchFetch = (url, init) => fetch(String(url).replace('http://node', base()), init as RequestInit);
  const links = [httpBatchLink({ url: 'http://node/trpc', headers, fetch: toNode })];
  const rpc = createTRPCClient<AppRouter>({ links });
  const urls: string[] = [];
  const sources: TestEventSource[] = [];
  class Source extends TestEventSource {
    constructor(url: string) {
      super(url);
      sources.push(this);
    }
  }
  const feeds = createTRPCClient<AppRouter>({
    links: [
      httpSubscriptionLink({
        EventSource: Source,
        url: async () => {
          const { ticket } = await rpc.session.ticket.mutate();
          const url = `${base()}/trpc?ticket=${ticket}`;
          urls.push(url);
          return url;
        },
      }),
    ],
  });
  return {
    rpc,
    urls,
    sources,
    channel: (channelId, lastEventId) =>
      follow<ChannelEvent>((on) => {
        return feeds.feed.channel.subscribe({ channelId, ...(lastEventId && { lastEventId }) }, on);
      }),
    inbox: () => follow<InboxEvent>((on) => feeds.feed.inbox.subscribe(undefined, on)),
  };
}

interface Callbacks<E> {
  onData(item: { id: string; data: E }): void;
  onError(error: unknown): void;
}

function follow<E extends ChannelEvent | InboxEvent>(
  subscribe: (on: Callbacks<E>) => { unsubscribe(): void },
): Following<E> {
  const events: E[] = [];
  const ids: string[] = [];
  const errors: unknown[] = [];
  const subscription = subscribe({
    onData: ({ id, data }) => {
      ids.push(id);
      events.push(data);
    },
    onError: (error) => errors.push(error),
  });
  return {
    events,
    ids,
    errors,
    bodies: () => events.flatMap((event) => (event.type === 'message.created' ? [event.message.body] : [])),
    types: () => events.map((event) => event.type),
    leave: () => subscription.unsubscribe(),
  };
}
