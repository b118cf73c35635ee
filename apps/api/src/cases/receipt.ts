import { type ReadDeps, readReceipt } from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';
import { notThereYet } from './not-there-yet.ts';

export type ReceiptCaseDeps = ReadDeps;

/** The procedures `receipt.*`. */
export function receiptCases(deps: ReceiptCaseDeps) {
  return {
    'receipt.read': forCaller(readReceipt(deps)),
    ...notThereYet('receipt.delivered', 'receipt.list'),
  } satisfies Partial<Cases>;
}
