import type { Cases } from '../context.ts';
import { notThereYet } from './not-there-yet.ts';

/** The procedures `attachment.*`. */
export function attachmentCases() {
  return { ...notThereYet('attachment.create', 'attachment.complete', 'attachment.url') } satisfies Partial<Cases>;
}
