import type { Log, Metrics } from '@parley/runtime';
import type { CallError } from '@parley/transport';
import { errorIdOf, reasonOf } from './error-shape.ts';

const NOT_LET_IN: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'PROTOCOL']);

/** Counts failed calls by their code, and writes down those that are our own fault under the id that the client got. */
export function createFailureReport(log: Log, metrics: Metrics): (failure: Pick<CallError, 'error' | 'path'>) => void {
  const failures = metrics.counter('call_failures_total', 'Calls that failed, by code', ['code']);
  const refusals = metrics.counter('auth_failures_total', 'Callers who were not let in, by reason', ['code']);
  for (const code of NOT_LET_IN) refusals.inc({ code }, 0);
  failures.inc({ code: 'internal' }, 0);
  return ({ error, path }) => {
    const { code, failure } = reasonOf(error);
    failures.inc({ code: code ?? 'internal' });
    if (code !== null && NOT_LET_IN.has(code)) refusals.inc({ code });
    if (code === null) log.error({ err: error.cause ?? error, errorId: errorIdOf(error), path }, 'a call failed');
    else if (failure?.cause) log.debug({ err: failure, path }, 'a call was refused');
  };
}
