import type { User } from '@parley/protocol';
import { useEffect, useMemo } from 'react';
import type { ConnectionState } from '../connection/connection-status.ts';
import type { InboxSnapshot } from '../inbox/inbox-snapshot.ts';
import type { SendDraft } from '../outbox/entry.ts';
import type { Presence } from '../watched-presence.ts';
import { useChat } from './chat-context.ts';
import { useStore } from './use-store.ts';

export function useConnection(): ConnectionState {
  return useStore(useChat().connection);
}

/** The user's channels, newest activity first, his invitations, mentions and announcements. */
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

/** How these users are, while the component is there, with whomever else somebody watches. Of who is missing it is not known yet. */
export function usePresence(userIds: readonly string[]): ReadonlyMap<string, Presence> {
  const client = useChat();
  // The same users in another array are the same users.
  const key = userIds.join();
  useEffect(() => client.watchPresence(key === '' ? [] : key.split(',')), [client, key]);
  return useStore(client.presence);
}

/** Sends to a channel: the message is shown at once. Returns its `clientMsgId`. */
export function useSend(channelId: string): (draft: string | SendDraft) => string {
  const client = useChat();
  return useMemo(() => (draft) => client.send(channelId, draft), [client, channelId]);
}
