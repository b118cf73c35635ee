import { randomUUID } from 'node:crypto';
import { Failure } from '@parley/domain';
import { ERROR_CODES, type FailureData } from '@parley/protocol';
import { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';

/** A failed call, as the admin API answers it: the codes of the chat, and never an internal text. */
export interface AdminFailure {
  readonly status: number;
  readonly error: FailureData & { readonly message: string };
}

/** What an error is answered with. One of our own doing gets an id, by which the log names it, too. */
export function adminFailureOf(error: unknown): AdminFailure {
  if (!(error instanceof Failure)) {
    const message = 'something went wrong here';
    return { status: 500, error: { code: 'UNKNOWN_RETRY', message, retryable: true, errorId: randomUUID() } };
  }
  const { code, message, retryable, retryAfterMs } = error;
  const status = getHTTPStatusCodeFromError(new TRPCError({ code: ERROR_CODES[code].trpc }));
  return { status, error: { code, message, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) } };
}
