import { Failure } from '@parley/domain';
import { LATENCY_BUCKETS, type Metrics } from '@parley/runtime';
import { rememberSubject } from './call-subjects.ts';
import type { Cases } from './context.ts';

/** Some calls promise less than any message does: 10 and 20 ms. */
const SECONDS = [...LATENCY_BUCKETS, 0.001, 0.0025, 0.02].toSorted((a, b) => a - b);

/** Times each call, and counts it by its outcome; an error knows of which call it is. */
export function measureCases(cases: Cases, metrics: Metrics): Cases {
  const calls = metrics.histogram('call_seconds', 'Time that calls take in this process', {
    labels: ['path', 'outcome'],
    buckets: SECONDS,
  });
  const measured = Object.entries(cases).map(([path, work]) => [
    path,
    async (...args: Parameters<typeof work>) => {
      const began = performance.now();
      const done = (outcome: string) => calls.observe({ path, outcome }, (performance.now() - began) / 1_000);
      try {
        const answer = await (work as (...all: typeof args) => Promise<unknown>)(...args);
        done('ok');
        return answer;
      } catch (error) {
        done(error instanceof Failure ? error.code : 'internal');
        rememberSubject(error, args[0].userId, args[1]);
        throw error;
      }
    },
  ]);
  // The compiler cannot follow names through entries; each name keeps its own case.
  return Object.fromEntries(measured) as unknown as Cases;
}
