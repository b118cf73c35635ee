import {
  getMessage,
  type PageDeps,
  pageMessages,
  type SearchDeps,
  type SendDeps,
  searchMessages,
  sendMessage,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type MessageCaseDeps = SendDeps & PageDeps & SearchDeps;

/** The procedures `message.*`. */
export function messageCases(deps: MessageCaseDeps) {
  return {
    'message.send': forCaller(sendMessage(deps)),
    'message.page': forCaller(pageMessages(deps)),
    'message.get': forCaller(getMessage(deps)),
    ...notThereYet('message.edit', 'message.delete', 'message.thread'),
    'message.search': forCaller(searchMessages(deps)),
  } satisfies Partial<Cases>;
}
