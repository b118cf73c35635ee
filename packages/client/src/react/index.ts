export {
  type ChannelHandle,
  ChatProvider,
  useChannel,
  useChat,
  useConnection,
  useInbox,
  useMe,
  usePeople,
  useSend,
} from './hooks.ts';
