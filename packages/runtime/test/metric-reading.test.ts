import { expect, test } from 'vitest';
import { createMetrics, MetricReading } from '../src/index.ts';

async function reading(): Promise<MetricReading> {
  const metrics = createMetrics({ prefix: 'p_' });
  const took = metrics.histogram('took_seconds', 'x', { labels: ['path'], buckets: [0.01, 0.1, 1] });
  for (let i = 0; i < 90; i++) took.observe({ path: 'a' }, 0.005);
  for (let i = 0; i < 9; i++) took.observe({ path: 'b' }, 0.05);
  took.observe({ path: 'b' }, 7);
  metrics.counter('done_total', 'x', ['path', 'outcome']).inc({ path: 'a', outcome: 'ok' }, 3);
  metrics.counter('done_total', 'x', ['path', 'outcome']).inc({ path: 'b', outcome: 'ok' }, 4);
  return new MetricReading(await metrics.snapshot());
}

test('[MET-10] percentiles are the bounds below which so many are, over all series or some', async () => {
  const metrics = await reading();
  expect(metrics.timing('p_took_seconds')).toMatchObject({ count: 100, p50Ms: 10, p95Ms: 100, p99Ms: 100 });
  // A tenth of them took longer than the last bound: how long is not known.
  expect(metrics.timing('p_took_seconds', { path: 'b' })).toMatchObject({ count: 10, p50Ms: 100, p95Ms: null });
  expect(metrics.timing('p_took_seconds', { path: 'a' }).meanMs).toBeCloseTo(5, 1);
});

test('[MET-10] nothing is no percentile, and what does not exist is 0', async () => {
  const metrics = await reading();
  expect(metrics.timing('p_none_seconds')).toEqual({ count: 0, meanMs: null, p50Ms: null, p95Ms: null, p99Ms: null });
  expect(metrics.sum('p_none_total')).toBe(0);
  expect(metrics.sum('p_done_total')).toBe(7);
  expect(metrics.sum('p_done_total', { path: 'b' })).toBe(4);
  expect(metrics.by('p_done_total', 'path', { outcome: 'ok' })).toEqual({ a: 3, b: 4 });
});
