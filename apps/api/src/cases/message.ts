import {
  type AmendDeps,
  deleteMessage,
  editMessage,
  getMessage,
  type PageDeps,
  pageMessages,
  readThread,
  type SendDeps,
  sendMessage,
  type ThreadDeps,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type MessageCaseDeps = SendDeps & PageDeps & ThreadDeps & AmendDeps;

/** The procedures `message.*`. */
export function messageCases(deps: MessageCaseDeps) {
  return {
    'message.send': forCaller(sendMessage(deps)),
    'message.edit': forCaller(editMessage(deps)),
    'message.delete': forCaller(deleteMessage(deps)),
    'message.page': forCaller(pageMessages(deps)),
    'message.thread': forCaller(readThread(deps)),
    'message.get': forCaller(getMessage(deps)),
    ...notThereYet('message.search'),
  } satisfies Partial<Cases>;
}
