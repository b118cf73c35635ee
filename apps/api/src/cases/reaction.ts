import type { Cases } from '../context.ts';
import { notThereYet } from './not-there-yet.ts';

/** The procedures `reaction.*`. */
export function reactionCases() {
  return { ...notThereYet('reaction.add', 'reaction.remove') } satisfies Partial<Cases>;
}
