export {
  type ChannelHandle,
  useChannel,
  useMembers,
  useReceipts,
  useThread,
  useTyping,
} from './channel-hooks.ts';
export { ChatProvider, useChat } from './chat-context.ts';
export { useConnection, useInbox, useMe, usePeople, usePresence, useSend } from './hooks.ts';
export { type SearchSnapshot, useSearch } from './use-search.ts';
