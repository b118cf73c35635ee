import type { Member } from '@parley/protocol';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type MembersSnapshot, NO_MEMBERS } from '../channel/channel-members.ts';
import { type ChannelSnapshot, EMPTY_CHANNEL } from '../channel/channel-view.ts';
import { type Receipts, receiptsOf } from '../channel/receipts.ts';
import { EMPTY_HISTORY, type HistorySnapshot } from '../channel/shown-history.ts';
import type { ShownMessage } from '../channel/shown-message.ts';
import type { OpenChannel } from '../open-channels.ts';
import type { Change } from '../outbox/entry.ts';
import { createStore, type Store } from '../store.ts';
import { useChat } from './chat-context.ts';
import { useStore } from './use-store.ts';

const NOTHING_OPEN: Store<ChannelSnapshot> = createStore(EMPTY_CHANNEL);
const NOBODY: Store<MembersSnapshot> = createStore(NO_MEMBERS);
const NO_THREAD: Store<HistorySnapshot> = createStore(EMPTY_HISTORY);

/** A channel that is open while the component is there, and what can be done in it. Changes of messages are shown at once. */
export interface ChannelHandle extends ChannelSnapshot {
  loadOlder(): void;
  markRead(): void;
  edit(messageId: string, body: string): void;
  remove(messageId: string): void;
  /** Adds an own reaction, or takes it back. */
  react(messageId: string, emoji: string, added: boolean): void;
  /** Any durable change of the channel; returns the operation's id. */
  change(change: Change): string;
  retry(operationId: string): void;
  discard(operationId: string): void;
}

export function useChannel(channelId: string): ChannelHandle {
  const client = useChat();
  const channel = useOpenChannel(channelId);
  const snapshot = useStore(channel?.store ?? NOTHING_OPEN);
  const actions = useMemo(
    () => ({
      loadOlder: () => void channel?.loadOlder(),
      markRead: () => client.markRead(channelId),
      edit: (messageId: string, body: string) =>
        void client.change(channelId, { kind: 'message.edit', input: { messageId, body } }),
      remove: (messageId: string) => void client.change(channelId, { kind: 'message.delete', input: { messageId } }),
      react: (messageId: string, emoji: string, added: boolean) =>
        void client.change(channelId, {
          kind: added ? 'reaction.add' : 'reaction.remove',
          input: { messageId, emoji },
        }),
      change: (change: Change) => client.change(channelId, change),
      retry: (operationId: string) => client.retry(channelId, operationId),
      discard: (operationId: string) => client.discard(channelId, operationId),
    }),
    [client, channelId, channel],
  );
  return { ...snapshot, ...actions };
}

/** The replies to a message, while the component is there, and a way to add one. */
export function useThread(channelId: string, messageId: string): HistorySnapshot & { reply(body: string): string } {
  const client = useChat();
  const channel = useOpenChannel(channelId);
  const [store, setStore] = useState(NO_THREAD);
  useEffect(() => {
    if (!channel) return;
    const thread = channel.openThread(messageId);
    setStore(thread.store);
    return () => {
      thread.close();
      setStore(NO_THREAD);
    };
  }, [channel, messageId]);
  const snapshot = useStore(store);
  const reply = useCallback(
    (body: string) => client.send(channelId, { body, threadOf: messageId }),
    [client, channelId, messageId],
  );
  return { ...snapshot, reply };
}

/** Who is typing in a channel, and how to tell that the user is: `typed` with every stroke, `stopped` when he gives up. */
export function useTyping(channelId: string): { typing: readonly string[]; typed(): void; stopped(): void } {
  const client = useChat();
  const store = useOpenChannel(channelId)?.store ?? NOTHING_OPEN;
  const { typing } = useStore(store);
  const typed = useCallback(() => client.typing(channelId), [client, channelId]);
  const stopped = useCallback(() => client.typing(channelId, false), [client, channelId]);
  return { typing, typed, stopped };
}

/** Who is in a channel, with roles and cursors, while the component is there. */
export function useMembers(channelId: string): MembersSnapshot {
  const channel = useOpenChannel(channelId);
  useEffect(() => channel?.watchMembers(), [channel]);
  return useStore(channel?.members ?? NOBODY);
}

/** Whom a message has reached, from its channel's members. */
export function useReceipts(members: readonly Member[], { position, senderId }: ShownMessage): Receipts {
  return useMemo(() => receiptsOf(members, { position, senderId }), [members, position, senderId]);
}

/** The channel, open while the component is there; null before that. */
function useOpenChannel(channelId: string): OpenChannel | null {
  const client = useChat();
  const [opened, setOpened] = useState<{ id: string; channel: OpenChannel } | null>(null);
  useEffect(() => {
    const channel = client.openChannel(channelId);
    setOpened({ id: channelId, channel });
    return () => channel.close();
  }, [client, channelId]);
  // Between two channels the first one is still there: it must not be shown as the other.
  return opened?.id === channelId ? opened.channel : null;
}
