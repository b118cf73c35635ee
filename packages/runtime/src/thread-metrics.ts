import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

/** What is shown is of the last full window, whoever reads it and how often: two readers would else take each other's. */
const WINDOW_MS = 5_000;
/** How fine the loop's delay is measured; it is part of what the histogram counts. */
const RESOLUTION_MS = 10;

/** Measures the thread that this runs in, under its name. */
export function measureThread(metrics: Pick<Metrics, 'gauge'>, thread: string): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let before = performance.eventLoopUtilization();
  let shown = { utilization: 0, lagSeconds: 0 };
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    const lagMs = delay.count > 0 ? delay.percentile(99) / 1e6 - RESOLUTION_MS : 0;
    shown = { utilization, lagSeconds: Math.max(0, lagMs) / 1_000 };
    before = now;
    delay.reset();
  }, WINDOW_MS).unref();
  const labels = ['thread'];
  metrics.gauge(
    'thread_event_loop_utilization',
    'Share of the last 5 s that the event loop of a thread was busy, of 1',
    {
      labels,
      collect: (gauge) => gauge.set({ thread }, shown.utilization),
    },
  );
  metrics.gauge('thread_event_loop_lag_seconds', 'Delay of the event loop of a thread, p99 of the last 5 s', {
    labels,
    collect: (gauge) => gauge.set({ thread }, shown.lagSeconds),
  });
  metrics.gauge('thread_heap_used_bytes', 'Heap in use by a thread', {
    labels,
    collect: (gauge) => gauge.set({ thread }, process.memoryUsage().heapUsed),
  });
}
