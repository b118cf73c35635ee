import { type Clock, type Log, type Metrics, systemClock } from '@parley/runtime';
import type { CallError } from '@parley/transport';
import { subjectOf } from './call-subjects.ts';
import { errorIdOf, reasonOf } from './error-shape.ts';

const NOT_LET_IN: ReadonlySet<string> = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'PROTOCOL']);
/** A store that is away refuses thousands of calls a second, for one reason. */
const SAME_EVERY_MS = 10_000;

interface Said {
  at: number;
  /** Refusals of this kind that have no line of their own. */
  since: number;
}

/**
 * Counts failed calls by their code. Those that are our own fault are written down each, under the id that the client got; the others as
 * loud as whoever threw them says, one line for many of a kind.
 */
export function createFailureReport(
  log: Log,
  metrics: Metrics,
  clock: Pick<Clock, 'now'> = systemClock,
): (failure: Pick<CallError, 'error' | 'path'>) => void {
  const failures = metrics.counter('call_failures_total', 'Calls that failed, by code', ['code']);
  const refusals = metrics.counter('auth_failures_total', 'Callers who were not let in, by reason', ['code']);
  for (const code of NOT_LET_IN) refusals.inc({ code }, 0);
  failures.inc({ code: 'internal' }, 0);
  const kinds = new Map<string, Said>();

  /** How many of a kind a line speaks for; 0: not now. */
  function timesOf(kind: string): number {
    const now = clock.now();
    const said = kinds.get(kind);
    if (said && now - said.at < SAME_EVERY_MS) {
      said.since++;
      return 0;
    }
    kinds.set(kind, { at: now, since: 0 });
    return 1 + (said?.since ?? 0);
  }

  return ({ error, path }) => {
    const { code, failure } = reasonOf(error);
    failures.inc({ code: code ?? 'internal' });
    if (code !== null && NOT_LET_IN.has(code)) refusals.inc({ code });
    const about = { path, ...subjectOf(error.cause) };
    if (code === null) {
      log.error({ err: error.cause ?? error, errorId: errorIdOf(error), ...about }, 'a call failed');
    } else if (failure?.level && log.isLevelEnabled(failure.level)) {
      const times = timesOf(`${code} ${path} ${failure.level}`);
      if (times > 0) log[failure.level]({ err: failure, code, times, ...about }, 'a call was refused');
    }
  };
}
