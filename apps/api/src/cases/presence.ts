import type { Cases } from '../context.ts';
import { notThereYet } from './not-there-yet.ts';

/** The procedures `presence.*` and `typing.*`. */
export function presenceCases() {
  return { ...notThereYet('presence.set', 'presence.get', 'typing.set') } satisfies Partial<Cases>;
}
