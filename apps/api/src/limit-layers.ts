import { Failure, type Limit, type Limiter } from '@parley/domain';
import type { Metrics } from '@parley/runtime';
import type { CasePath, Cases } from './context.ts';

/** Counts what a limiter refuses, by limit. */
export function measureLimiter(limiter: Limiter, metrics: Metrics): Limiter {
  const refusals = metrics.counter('limit_refusals_total', 'Calls refused by a limit of their user', ['limit']);
  return {
    take: async (limit, userId, calls) => {
      const verdict = await limiter.take(limit, userId, calls);
      if (!verdict.allowed) refusals.inc({ limit });
      return verdict;
    },
  };
}

/** Cases of which every call counts, whatever becomes of it. What is found instead of made (a channel, a send again) counts in its own case. */
const LIMITED = ['message.search', 'attachment.create'] as const satisfies readonly (Limit & CasePath)[];

/** The same cases, some of which a user may call only so often. */
export function limitCases(cases: Cases, limiter: Limiter): Cases {
  const limited = LIMITED.map((path) => {
    // Each path keeps its own case: their inputs are one type to the compiler, and one value to the call.
    const work = cases[path] as (...args: unknown[]) => Promise<unknown>;
    const first: typeof work = async (...args) => {
      const [{ userId }] = args as [{ userId: string }];
      const { allowed, retryAfterMs } = await limiter.take(path, userId);
      if (!allowed) throw new Failure('RATE_LIMITED', 'too many of these', { retryAfterMs });
      return work(...args);
    };
    return [path, first];
  });
  return { ...cases, ...Object.fromEntries(limited) };
}
