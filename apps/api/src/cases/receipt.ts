import { deliveredReceipt, type ListReceiptsDeps, listReceipts, type ReadDeps, readReceipt } from '@parley/domain';
import type { Cases } from '../context.ts';
import { forCaller } from './for-caller.ts';

export type ReceiptCaseDeps = ReadDeps & ListReceiptsDeps;

/** The procedures `receipt.*`. */
export function receiptCases(deps: ReceiptCaseDeps) {
  return {
    'receipt.read': forCaller(readReceipt(deps)),
    'receipt.delivered': forCaller(deliveredReceipt(deps)),
    'receipt.list': forCaller(listReceipts(deps)),
  } satisfies Partial<Cases>;
}
