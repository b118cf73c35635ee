import { type AmendDeps, react } from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

/** The procedures `reaction.*`. */
export function reactionCases(deps: AmendDeps) {
  return {
    'reaction.add': forCaller(react(deps, true)),
    'reaction.remove': forCaller(react(deps, false)),
  } satisfies Partial<Cases>;
}
