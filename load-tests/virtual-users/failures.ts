import { TRPCClientError } from '@trpc/client';

/** A word for what went wrong: the code of Parley's own errors, else the message. */
export function wordFor(error: unknown): string {
  if (error instanceof TRPCClientError) return codeOf(error) ?? error.message.slice(0, 60);
  return error instanceof Error ? error.message.slice(0, 60) : String(error).slice(0, 60);
}

/** Whether the same call may be made again: the line was lost, or a store was. A limit is final: who keeps to the defaults meets none. */
export function mayRetry(error: unknown): boolean {
  if (!(error instanceof TRPCClientError)) return true;
  const { parley } = dataOf(error);
  return parley === undefined || (parley.retryable === true && parley.code !== 'RATE_LIMITED');
}

type Answered = { parley?: { code?: string; retryable?: boolean } };
const dataOf = (error: { data?: unknown }): Answered => (error.data ?? {}) as Answered;
const codeOf = (error: { data?: unknown }): string | undefined => dataOf(error).parley?.code;
