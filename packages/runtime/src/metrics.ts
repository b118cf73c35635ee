import { performance } from 'node:perf_hooks';
import {
  type Aggregator,
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';

/** All metrics of one thread at one moment, in a shape that can be posted to another thread. */
export type MetricSnapshot = MetricObjectWithValues<MetricValue<string>>[];

interface GaugeOptions {
  readonly labels?: readonly string[];
  /** How the values of several threads become one. */
  readonly aggregator?: Aggregator;
  /** Called at each scrape to set the gauge. */
  readonly collect?: (gauge: Gauge<string>) => void | Promise<void>;
}

interface HistogramOptions {
  readonly labels?: readonly string[];
  /** Upper bounds, rising. */
  readonly buckets?: readonly number[];
}

/** Counters, gauges and histograms of one thread. Asking for a name twice gives the same metric. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter<string>;
  gauge(name: string, help: string, options?: GaugeOptions): Gauge<string>;
  histogram(name: string, help: string, options?: HistogramOptions): Histogram<string>;
  snapshot(): Promise<MetricSnapshot>;
  /** In the text form that Prometheus reads. */
  text(): Promise<string>;
}

/**
 * Metrics in a registry of their own. `defaults` adds what is measured of a whole process (once per process: memory, CPU, handles)
 * or of one thread (heap, share of time its event loop was busy).
 */
export function createMetrics(options: { defaults?: 'process' | 'thread' } = {}): Metrics {
  const registry = new Registry();
  const metrics: Metrics = {
    counter(name, help, labels = []) {
      const present = registry.getSingleMetric(name);
      if (present instanceof Counter) return present;
      return new Counter({ name, help, labelNames: [...labels], registers: [registry] });
    },
    gauge(name, help, { labels = [], aggregator = 'sum', collect } = {}) {
      const present = registry.getSingleMetric(name);
      if (present instanceof Gauge) return present;
      const gauge: Gauge<string> = new Gauge({
        name,
        help,
        labelNames: [...labels],
        aggregator,
        registers: [registry],
        ...(collect ? { collect: () => collect(gauge) } : {}),
      });
      return gauge;
    },
    histogram(name, help, { labels = [], buckets } = {}) {
      const present = registry.getSingleMetric(name);
      if (present instanceof Histogram) return present;
      const shape = { name, help, labelNames: [...labels], registers: [registry] };
      return new Histogram(buckets ? { ...shape, buckets: [...buckets] } : shape);
    },
    snapshot: () => registry.getMetricsAsJSON(),
    text: () => registry.metrics(),
  };
  if (options.defaults === 'process') collectDefaultMetrics({ register: registry });
  if (options.defaults === 'thread') measureThread(metrics);
  return metrics;
}

function measureThread(metrics: Metrics): void {
  let before = performance.eventLoopUtilization();
  metrics.gauge(
    'thread_event_loop_utilization',
    'Share of time that the busiest thread was busy since the last scrape',
    {
      aggregator: 'max',
      collect: (gauge) => {
        const now = performance.eventLoopUtilization();
        gauge.set(performance.eventLoopUtilization(now, before).utilization);
        before = now;
      },
    },
  );
  metrics.gauge('thread_heap_used_bytes', 'Heap in use, over all threads', {
    collect: (gauge) => gauge.set(process.memoryUsage().heapUsed),
  });
}

/** One text from the snapshots of several threads: counters and histograms are summed, gauges by their own rule. */
export function mergeMetrics(snapshots: readonly MetricSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}
