import {
  getPresence,
  type PresenceSessions,
  type Presences,
  setPresence,
  setTyping,
  type TypingDeps,
} from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

export interface PresenceCaseDeps extends TypingDeps {
  readonly presences: Presences;
  readonly sessions: PresenceSessions;
}

/** The procedures `presence.*` and `typing.*`. */
export function presenceCases(deps: PresenceCaseDeps) {
  const ask = getPresence(deps);
  return {
    'presence.set': forCaller(setPresence(deps)),
    'presence.get': (_, input) => ask(input),
    'typing.set': forCaller(setTyping(deps)),
  } satisfies Partial<Cases>;
}
