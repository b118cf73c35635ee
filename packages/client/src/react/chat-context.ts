import { createContext, createElement, type ReactNode, useContext } from 'react';
import type { ChatClient } from '../chat-client.ts';

const ChatContext = createContext<ChatClient | null>(null);

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
