import type { TypingSignal } from './ports/ephemeral.ts';
import type { PresenceChange } from './ports/presence.ts';

/** Reads what a node published of presence. Throws when it is something else. */
export function parsePresenceChanges(json: string): PresenceChange[] {
  const changes = JSON.parse(json) as PresenceChange[];
  if (!Array.isArray(changes) || changes.some((change) => typeof change?.userId !== 'string')) {
    throw new TypeError('not changes of presence');
  }
  return changes;
}

/** Reads what a node published of somebody who types. Throws when it is something else. */
export function parseTypingSignal(json: string): TypingSignal {
  const signal = JSON.parse(json) as TypingSignal | null;
  if (typeof signal?.userId !== 'string' || typeof signal.typing !== 'boolean') {
    throw new TypeError('not a signal of typing');
  }
  return signal;
}
