import { Failure } from '@parley/domain';
import type { Metrics } from '@parley/runtime';
import type { Cases } from './context.ts';

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Times each call, and counts it by its outcome. */
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
        throw error;
      }
    },
  ]);
  // The compiler cannot follow names through entries; each name keeps its own case.
  return Object.fromEntries(measured) as unknown as Cases;
}
