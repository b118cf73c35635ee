import type { FeedEntry } from '@parley/domain';
import { createMetrics } from '@parley/runtime';
import { expect, it } from 'vitest';
import { measureHub } from '../src/hub/hub-metrics.ts';

const entry = (type: 'message.created' | 'message.updated', at: number) => ({ at, event: { type } }) as FeedEntry;

it('[MET-7] a message is timed once for a thread by the clock that stamped it, whatever the number of its feeds', async () => {
  const metrics = createMetrics();
  const hub = measureHub(metrics, (at) => (10_000 - at) / 1_000);
  hub.delivered(entry('message.created', 9_960), 300);
  hub.delivered(entry('message.updated', 0), 2);
  const text = await metrics.text();
  expect(text).toContain('message_delivery_seconds_bucket{le="0.025"} 0');
  expect(text).toContain('message_delivery_seconds_bucket{le="0.05"} 1');
  expect(text).toContain('message_delivery_seconds_count 1');
  expect(text).toContain('hub_fanout_listeners_sum 302');
  expect(text).toContain('hub_fanout_listeners_count 2');
});

it('[MET-6] what a hub counts is told by outcome and by reason, from 0 on', async () => {
  const metrics = createMetrics();
  const hub = measureHub(metrics);
  expect(await metrics.text()).toContain('hub_resyncs_total{reason="retention"} 0');
  hub.resync('behind');
  hub.delivered(entry('message.updated', 0), 1);
  hub.filled(
    [1, 2, 3].map((at) => entry('message.created', at)),
    1,
  );
  hub.count('fill_failed');
  const text = await metrics.text();
  expect(text).toContain('hub_resyncs_total{reason="behind"} 1');
  expect(text).toContain('hub_publications_total{outcome="delivered"} 1');
  expect(text).toContain('hub_filled_entries_total 3');
  expect(text).toContain('hub_fill_failures_total 1');
});
