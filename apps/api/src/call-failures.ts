import type { Log, Metrics } from '@parley/runtime';
import type { CallError } from '@parley/transport';
import { errorIdOf, reasonOf } from './error-shape.ts';

/** Counts failed calls by their code, and writes down those that are our own fault under the id that the client got. */
export function createFailureReport(log: Log, metrics: Metrics): (failure: Pick<CallError, 'error' | 'path'>) => void {
  const failures = metrics.counter('call_failures_total', 'Calls that failed, by code', ['code']);
  const refusals = metrics.counter('auth_failures_total', 'Callers who were not let in, by reason', ['code']);
  return ({ error, path }) => {
    const { code, failure } = reasonOf(error);
    failures.inc({ code: code ?? 'internal' });
    if (code === 'UNAUTHENTICATED' || code === 'TOKEN_EXPIRED' || code === 'PROTOCOL') refusals.inc({ code });
    if (code === null) log.error({ err: error.cause ?? error, errorId: errorIdOf(error), path }, 'a call failed');
    else if (failure?.cause) log.debug({ err: failure, path }, 'a call was refused');
  };
}
