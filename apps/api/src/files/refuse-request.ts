import type { IncomingMessage, ServerResponse } from 'node:http';
import { Failure } from '@parley/domain';
import { ERROR_CODES } from '@parley/protocol';
import type { Log } from '@parley/runtime';
import { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { answerJson } from '../http/answer.ts';

/** How long what still comes is read and thrown away, so that its sender gets to read why. */
const LINGER_MS = 1_000;

/** Answers a request that failed with the code of the table, and what nobody meant with 500 and a line in the log. */
export function refuseRequest(
  log: Log,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  error: unknown,
): void {
  if (response.headersSent || response.destroyed) {
    // In the middle of a body there is nothing left to say: a cut answer is seen by its length.
    log.debug({ err: error }, 'a file was not given to its end');
    response.destroy();
    return;
  }
  const failure = error instanceof Failure ? error : null;
  if (!failure) log.error({ err: error }, 'a request for a file failed');
  else if (failure.cause) log.warn({ err: failure }, 'a request for a file was refused');
  const { code = null, message = 'failed: see the log', retryAfterMs } = failure ?? {};
  if (retryAfterMs !== undefined) response.setHeader('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  if (!request.complete) letGo(request, response);
  const trpcCode = code === null ? 'INTERNAL_SERVER_ERROR' : ERROR_CODES[code].trpc;
  answerJson(response, getHTTPStatusCodeFromError(new TRPCError({ code: trpcCode })), { code, error: message });
}

/** Its body is still coming: the connection is of no more use. */
function letGo(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
  request.resume();
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(timer));
}
