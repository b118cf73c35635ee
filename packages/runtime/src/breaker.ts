import { type Clock, systemClock } from './clock.ts';

/**
 * `closed`: calls pass; `failures` failures in a row open it, and so do failures of most calls in some seconds.
 * `open`: calls are refused; after about `probeMs` the next call becomes the probe.
 * `half-open`: the probe is under way and every other call is refused; its outcome closes or opens the breaker.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** The call was not made: what it needs has failed too often just now. */
export class BreakerOpenError extends Error {
  override readonly name = 'BreakerOpenError';
  readonly dependency: string;
  readonly retryAfterMs: number;

  constructor(dependency: string, retryAfterMs: number) {
    super(`${dependency} is not available`);
    this.dependency = dependency;
    this.retryAfterMs = retryAfterMs;
  }
}

interface BreakerOptions {
  readonly name: string;
  readonly clock?: Clock;
  readonly failures?: number;
  readonly probeMs?: number;
  /** Whether an error speaks against the dependency. By default every error does. */
  readonly isFailure?: (error: unknown) => boolean;
  readonly onChange?: (state: BreakerState) => void;
  readonly random?: () => number;
}

/** Stops asking what does not answer, and finds out by single probes when it does again. */
export interface Breaker {
  readonly state: BreakerState;
  /** Does the work, or throws a `BreakerOpenError` without trying. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** What succeeds now and then never fails often in a row: more than half of this many calls in this time open a breaker, too. */
const SAMPLE_MS = 5_000;
const SAMPLE_CALLS_MIN = 20;

/** A breaker that is closed at first. */
export function createBreaker(options: BreakerOptions): Breaker {
  const { name, clock = systemClock, failures = 5, probeMs = 1_000, random = Math.random } = options;
  let state: BreakerState = 'closed';
  let inARow = 0;
  let probeAt = 0;
  let sample = { since: 0, calls: 0, failed: 0 };

  function become(next: BreakerState): void {
    if (next === state) return;
    state = next;
    if (next === 'closed') sample = { since: 0, calls: 0, failed: 0 };
    options.onChange?.(next);
  }

  function count(failed: boolean): void {
    const now = clock.now();
    if (now - sample.since >= SAMPLE_MS) sample = { since: now, calls: 0, failed: 0 };
    sample.calls++;
    if (failed) sample.failed++;
  }

  function failed(): void {
    inARow++;
    const mostFail = sample.calls >= SAMPLE_CALLS_MIN && 2 * sample.failed > sample.calls;
    if (state === 'closed' && inARow < failures && !mostFail) return;
    // Half to one and a half of probeMs: the threads of a cluster must not probe in step.
    probeAt = clock.now() + probeMs * (0.5 + random());
    become('open');
  }

  function admit(): void {
    if (state === 'closed') return;
    const waitMs = probeAt - clock.now();
    if (state === 'half-open' || waitMs > 0) throw new BreakerOpenError(name, Math.max(Math.ceil(waitMs), 100));
    become('half-open');
  }

  return {
    get state() {
      return state;
    },
    async run(work) {
      admit();
      const isProbe = state === 'half-open';
      try {
        const answer = await work();
        count(false);
        // A late answer of a call made before the breaker opened is no probe's answer.
        if (isProbe || state === 'closed') {
          inARow = 0;
          become('closed');
        }
        return answer;
      } catch (error) {
        const counts = options.isFailure?.(error) ?? true;
        count(counts);
        if (counts && (isProbe || state === 'closed')) failed();
        else if (isProbe) become('closed');
        throw error;
      }
    },
  };
}
