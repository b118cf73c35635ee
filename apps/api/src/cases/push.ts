import type { Cases } from '../context.ts';
import { notThereYet } from './not-there-yet.ts';

/** The procedures `push.*`. */
export function pushCases() {
  return { ...notThereYet('push.key', 'push.subscribe', 'push.unsubscribe') } satisfies Partial<Cases>;
}
