import { type PushDeps, pushKey, subscribePush, unsubscribePush } from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

export type PushCaseDeps = PushDeps;

/** The procedures `push.*`. */
export function pushCases(deps: PushCaseDeps) {
  return {
    'push.key': pushKey(deps),
    'push.subscribe': forCaller(subscribePush(deps)),
    'push.unsubscribe': forCaller(unsubscribePush(deps)),
  } satisfies Partial<Cases>;
}
