import type { User } from '@parley/protocol';
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import { type ChannelSnapshot, EMPTY_CHANNEL } from '../channel/channel-view.ts';
import type { ChatClient } from '../chat-client.ts';
import type { ConnectionState } from '../connection/connection.ts';
import type { InboxSnapshot } from '../inbox/inbox-snapshot.ts';
import type { OpenChannel } from '../open-channels.ts';
import type { SendDraft } from '../outbox/entry.ts';
import { createStore, type Store } from '../store.ts';

const ChatContext = createContext<ChatClient | null>(null);
const NOTHING_OPEN: Store<ChannelSnapshot> = createStore(EMPTY_CHANNEL);

/** Gives the client to the hooks below it. Whoever made the client runs and stops it. */
export function ChatProvider({ client, children }: { client: ChatClient; children: ReactNode }) {
  return createElement(ChatContext, { value: client }, children);
}

/** The client that the nearest `ChatProvider` gives. */
export function useChat(): ChatClient {
  const client = useContext(ChatContext);
  if (!client) throw new Error('useChat needs a ChatProvider above it');
  return client;
}

export function useConnection(): ConnectionState {
  return useStore(useChat().connection);
}

/** The user's channels, newest activity first. */
export function useInbox(): InboxSnapshot {
  return useStore(useChat().inbox);
}

/** The user; null until the server has answered. */
export function useMe(): User | null {
  return useStore(useChat().me);
}

/** Everybody seen so far, by id. */
export function usePeople(): ReadonlyMap<string, User> {
  return useStore(useChat().people);
}

/** A channel that is open while the component is there, and what can be done in it. */
export interface ChannelHandle extends ChannelSnapshot {
  loadOlder(): void;
  markRead(): void;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
}

export function useChannel(channelId: string): ChannelHandle {
  const client = useChat();
  const [opened, setOpened] = useState<{ id: string; channel: OpenChannel } | null>(null);
  useEffect(() => {
    const channel = client.openChannel(channelId);
    setOpened({ id: channelId, channel });
    return () => channel.close();
  }, [client, channelId]);
  // Between two channels the first one is still there: it must not be shown as the other.
  const channel = opened?.id === channelId ? opened.channel : null;
  const snapshot = useStore(channel?.store ?? NOTHING_OPEN);
  const actions = useMemo(
    () => ({
      loadOlder: () => void channel?.loadOlder(),
      markRead: () => client.markRead(channelId),
      retry: (clientMsgId: string) => client.retry(channelId, clientMsgId),
      discard: (clientMsgId: string) => client.discard(channelId, clientMsgId),
    }),
    [client, channelId, channel],
  );
  return { ...snapshot, ...actions };
}

/** Sends to a channel: the message is shown at once. Returns its `clientMsgId`. */
export function useSend(channelId: string): (draft: string | SendDraft) => string {
  const client = useChat();
  return useMemo(() => (draft) => client.send(channelId, draft), [client, channelId]);
}

function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
}
