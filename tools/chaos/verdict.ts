import type { Violation } from '../../packages/testing/src/history.ts';
import { FAULT_NAMES, type FaultName } from './fault-list.ts';

/** What one round has shown. */
export interface RoundResult {
  readonly faults: readonly FaultName[];
  /** Faults whose harm nobody saw. */
  readonly unseen: readonly FaultName[];
  readonly acked: number;
  readonly persisted: number;
  /** Messages handed to watchers. */
  readonly delivered: number;
  readonly found: Partial<Record<Violation, number>>;
  /** Feeds that could not be continued. */
  readonly resyncs: number;
  /** Feeds that ended with an error, which no stock client opens again by itself. */
  readonly ended: number;
  /** Unread counts that are not what Postgres says. */
  readonly unreadWrong: number;
  /** From the return of the cause to the first answer after it. */
  readonly backMs: number;
}

/** What was looked at once, at the end. */
export interface Ending {
  /** What `npm run verify` found; null: it could not be run. */
  readonly verify: {
    readonly ok: boolean;
    readonly lost: number;
    readonly duplicate: number;
    readonly reused: number;
  } | null;
  /** Processes that ended though nobody ended them. */
  readonly died: readonly string[];
  /** Lines about errors that nobody caught. */
  readonly uncaught: readonly string[];
  /** Rounds that could not be finished, with the reason. */
  readonly broken: readonly string[];
}

/** Under what name the last line counts each. */
const COUNTED: Record<Violation, string> = {
  lost: 'lost',
  doubled: 'doubled',
  'position reused': 'reused',
  gap: 'gaps',
  repeat: 'repeats',
  order: 'outOfOrder',
  stranger: 'strangers',
};
const VIOLATIONS = Object.keys(COUNTED) as Violation[];

/** The last line of a run. `ok` only when every promise held, and every fault was seen to happen. */
export function reportOf(asked: { seed: number; minutes: number }, rounds: readonly RoundResult[], ending: Ending) {
  const sum = (of: (round: RoundResult) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const struck = FAULT_NAMES.filter((name) => rounds.some(({ faults }) => faults.includes(name)));
  const violations = Object.fromEntries(
    VIOLATIONS.map((each) => [COUNTED[each], sum(({ found }) => found[each] ?? 0)]),
  );
  const counts = {
    resyncs: sum((round) => round.resyncs),
    ended: sum((round) => round.ended),
    unreadWrong: sum((round) => round.unreadWrong),
  };
  const unseen = rounds.flatMap((round) => round.unseen);
  const harmless = Object.values({ ...violations, ...counts }).every((count) => count === 0);
  const quiet = [unseen, ending.died, ending.uncaught, ending.broken].every((list) => list.length === 0);
  return {
    ok: rounds.length > 0 && harmless && quiet && ending.verify?.ok === true,
    ...asked,
    rounds: rounds.length,
    acked: sum(({ acked }) => acked),
    persisted: sum(({ persisted }) => persisted),
    delivered: sum(({ delivered }) => delivered),
    ...violations,
    ...counts,
    verify: ending.verify,
    faults: Object.fromEntries(struck.map((name) => [name, struckBy(name, rounds)])),
    notReached: FAULT_NAMES.filter((name) => !struck.includes(name)),
    unseen,
    died: ending.died,
    uncaught: ending.uncaught,
    broken: ending.broken,
  };
}

/** How often, and how long it took to the first answer: the middle and the worst, of all rounds that it was in. */
function struckBy(name: FaultName, rounds: readonly RoundResult[]) {
  const times = rounds.filter(({ faults }) => faults.includes(name)).map(({ backMs }) => backMs);
  const sorted = times.sort((a, b) => a - b);
  return { times: sorted.length, backMs: sorted[Math.floor((sorted.length - 1) / 2)], worstBackMs: sorted.at(-1) };
}
