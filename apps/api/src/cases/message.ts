import {
  type AmendDeps,
  deleteMessage,
  editMessage,
  getMessage,
  type PageDeps,
  pageMessages,
  readThread,
  type SearchDeps,
  type SendDeps,
  searchMessages,
  sendMessage,
  type ThreadDeps,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

export type MessageCaseDeps = SendDeps & PageDeps & ThreadDeps & AmendDeps & SearchDeps;

/** The procedures `message.*`. */
export function messageCases(deps: MessageCaseDeps) {
  return {
    'message.send': forCaller(sendMessage(deps)),
    'message.edit': forCaller(editMessage(deps)),
    'message.delete': forCaller(deleteMessage(deps)),
    'message.page': forCaller(pageMessages(deps)),
    'message.thread': forCaller(readThread(deps)),
    'message.get': forCaller(getMessage(deps)),
    'message.search': forCaller(searchMessages(deps)),
  } satisfies Partial<Cases>;
}
