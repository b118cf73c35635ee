import type { Outcome } from '../../load-tests/virtual-users/pulse.ts';
import { EXACT, type ScenarioName } from './options.ts';
import type { Totals } from './recording.ts';
import type { CacheUse } from './scrape.ts';

/** One line of `npm run verify`, as far as a load run promises it. */
export interface Kept {
  readonly ok: boolean;
  readonly lost: number;
  readonly duplicate: number;
  readonly persisted: number;
  readonly waiting: number;
}

/** All that a run is judged by. */
export interface Evidence {
  readonly scenario: ScenarioName;
  readonly quick: boolean;
  /** At the same time, as asked for. */
  readonly connections: number;
  readonly totals: Totals;
  readonly outcome: Outcome | null;
  /** Null when the ops port was not reached. */
  readonly caches: readonly CacheUse[] | null;
  /** Null when the stores were not reached, or the run asked for none. */
  readonly kept: Kept | null;
}

/**
 * A promise and whether it was kept; `unknown` when it could not be measured, which does not count as kept; `noted` when the run is too small
 * to judge it.
 */
export interface Verdict {
  readonly promise: string;
  readonly measured: string;
  readonly state: 'kept' | 'broken' | 'unknown' | 'noted';
}

export const LIMITS = {
  errorShare: 0.001,
  sendP95Ms: 50,
  deliveryP95Ms: 100,
  deliveryP99Ms: 180,
  cacheHits: 0.9,
} as const;

/** Above these the generator's own event loop is a good part of what it measures. */
export const GENERATOR = { loopP95Ms: 50, busyP95: 0.9 } as const;

/** An idle machine has daemons and the runner itself. */
const OTHERS_MAX_CORES = 0.2;

/** Judges a run. A time is promised where the machine is meant to suffice: in `performance`. */
export function judge(evidence: Evidence): Verdict[] {
  const { scenario, totals, outcome, connections } = evidence;
  const rows: Verdict[] = [
    verdict(
      'every visit comes to its end',
      outcome !== null && outcome.failedVisits === 0,
      outcome ? `${outcome.failedVisits} failed` : 'the generator ended early',
    ),
    verdict(
      `connections at the same time: ${connections} or more`,
      totals.peakConnections >= connections,
      String(totals.peakConnections),
    ),
  ];
  if (EXACT.includes(scenario)) rows.push(verdict('no call fails', totals.errors === 0, errorsText(evidence)));
  else
    rows.push(
      verdict(
        'error rate below 0.1 %',
        totals.calls > 0 && totals.errors / totals.calls < LIMITS.errorShare,
        errorsText(evidence),
      ),
    );
  if (scenario === 'performance') {
    const judged = [...times(totals), cacheVerdict(evidence.caches)];
    rows.push(...(evidence.quick ? judged.map((row): Verdict => ({ ...row, state: 'noted' })) : judged));
  }
  rows.push(feedsVerdict(outcome));
  if (scenario === 'reconnect') {
    const cuts = outcome?.cuts ?? 0;
    rows.push(verdict('a line is cut for every user or more', cuts >= connections, `${cuts} cuts`));
  }
  if (scenario === 'offline')
    rows.push(
      verdict(
        'who returns is told exactly how much he missed',
        outcome && outcome.unreadWrong === 0,
        `${outcome?.unreadWrong ?? '?'} wrong counts`,
      ),
    );
  rows.push(keptVerdict(evidence));
  return rows;
}

/** Whether a run is to end with an error. */
export function isBroken(verdicts: readonly Verdict[]): boolean {
  return verdicts.some(({ state }) => state === 'broken');
}

/** What the reader must know before he believes the times; null when the generator kept up. */
export function bottleneck({ loopP95Ms, busyP95 }: Totals): string | null {
  if (loopP95Ms <= GENERATOR.loopP95Ms && busyP95 <= GENERATOR.busyP95) return null;
  return (
    `The generator was the bottleneck: its event loop was up to ${ms(loopP95Ms)} late and ${percent(busyP95)} busy (in 95 % of the seconds). ` +
    'The times on this page hold its own delay, too: run it with fewer connections, or on a machine of its own.'
  );
}

/** What else used the machine while a run was made, on average; null when it was next to nothing, or is not known. */
export function disturbance(cores: readonly Readonly<Record<string, number>>[]): string | null {
  const others = cores.flatMap((used) => used['other programs'] ?? []);
  const mean = others.reduce((all, one) => all + one, 0) / Math.max(1, others.length);
  if (mean < OTHERS_MAX_CORES) return null;
  return `Other programs used ${mean.toFixed(1)} cores of this machine meanwhile: the times on this page are theirs, too.`;
}

function times(totals: Totals): Verdict[] {
  const below = (what: string, measured: number | null, limit: number) =>
    verdict(
      `${what} below ${limit} ms`,
      measured === null ? null : measured < limit,
      measured === null ? 'nothing measured' : ms(measured),
    );
  return [
    below('send to answer, 95th percentile', totals.sendP95Ms, LIMITS.sendP95Ms),
    below('send to delivery, 95th percentile', totals.deliveryP95Ms, LIMITS.deliveryP95Ms),
    below('send to delivery, 99th percentile', totals.deliveryP99Ms, LIMITS.deliveryP99Ms),
  ];
}

function cacheVerdict(caches: readonly CacheUse[] | null): Verdict {
  const asked = (caches ?? []).reduce((all, cache) => all + cache.asked, 0);
  const hits = (caches ?? []).reduce((all, cache) => all + cache.hits, 0);
  const errors = (caches ?? []).reduce((all, cache) => all + cache.errors, 0);
  const share = asked === 0 ? null : hits / asked;
  const text =
    share === null ? 'not known: no /metrics' : `${percent(share)} of ${asked}, ${errors} not answered in time`;
  return verdict(
    'after the warm-up, copies found in the caches: 90 % or more',
    share === null ? null : share >= LIMITS.cacheHits,
    text,
  );
}

function feedsVerdict(outcome: Outcome | null): Verdict {
  const promise = 'every feed whole, once, in order';
  if (!outcome) return verdict(promise, null, 'the generator ended early');
  const { feeds, deliveries, ...wrong } = outcome.tally;
  const found = Object.entries(wrong).filter(([, count]) => count > 0);
  const text = found.map(([name, count]) => `${count} ${name}`).join(', ') || 'nothing wrong';
  return verdict(promise, found.length === 0 && deliveries > 0, `${deliveries} deliveries to ${feeds} feeds, ${text}`);
}

function keptVerdict({ kept, outcome }: Evidence): Verdict {
  const promise = 'npm run verify: 0 lost, 0 duplicate';
  if (!kept) return verdict(promise, null, 'not known: DATABASE_URL and REDIS_LOG_URL of the stack are not set');
  const whole = kept.persisted + kept.waiting >= (outcome?.accepted ?? 0);
  const text = `${kept.lost} lost, ${kept.duplicate} duplicate, ${kept.persisted} in Postgres`;
  return verdict(
    promise,
    kept.ok && whole,
    whole ? text : `${text}, but ${outcome?.accepted} were answered: another stack?`,
  );
}

function errorsText({ totals, outcome }: Evidence): string {
  const words = Object.entries(outcome?.errors ?? {})
    .sort(([, a], [, b]) => b - a)
    .slice(0, 4);
  const list = words.map(([word, count]) => `${count} × ${word}`).join(', ');
  return `${totals.errors} of ${totals.calls} calls${list && ` (${list})`}`;
}

function verdict(promise: string, isKept: boolean | null, measured: string): Verdict {
  return { promise, measured, state: isKept === null ? 'unknown' : isKept ? 'kept' : 'broken' };
}

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
