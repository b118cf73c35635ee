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
import { measureThread } from './thread-metrics.ts';

/** All metrics of one thread at one moment, in a shape that can be posted to another thread. */
export type MetricSnapshot = MetricObjectWithValues<MetricValue<string>>[];

/** Sets a gauge when it is read. */
export type Collect = (gauge: Gauge<string>) => void | Promise<void>;

interface GaugeOptions {
  readonly labels?: readonly string[];
  /** How the values of several threads become one. */
  readonly aggregator?: Aggregator;
  /** Called at each scrape to set the gauge. A gauge that is asked for again with another one has both. */
  readonly collect?: Collect;
}

interface HistogramOptions {
  readonly labels?: readonly string[];
  /** Upper bounds, rising. */
  readonly buckets?: readonly number[];
}

/** What can be said of a metric before it has a value. */
export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Of a histogram: its upper bounds. */
  readonly buckets: readonly number[];
}

/** Counters, gauges and histograms of one thread. Asking for a name twice gives the same metric. */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter<string>;
  gauge(name: string, help: string, options?: GaugeOptions): Gauge<string>;
  histogram(name: string, help: string, options?: HistogramOptions): Histogram<string>;
  snapshot(): Promise<MetricSnapshot>;
  /** In the text form that Prometheus reads. */
  text(): Promise<string>;
  /** All but Node's own, by name. */
  describe(): MetricDescription[];
}

interface MetricsOptions {
  /** Put before every name but Node's own, which are the same in all programs. */
  readonly prefix?: string;
  /**
   * Adds what is measured of a whole process (once per process: memory, CPU, handles) with that of its main thread, or of one thread
   * alone (heap, how busy its event loop is), under the name of the thread.
   */
  readonly defaults?: 'process' | { readonly thread: string };
}

/** Gauges of prom-client that are named like counters. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

type Own = Counter<string> | Gauge<string> | Histogram<string>;

/** Metrics in a registry of their own. */
export function createMetrics({ prefix = '', defaults }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const own = new Map<string, { readonly metric: Own; readonly description: MetricDescription }>();
  const collects = new Map<string, Collect[]>();

  function keep<M extends Own>(metric: M, description: MetricDescription): M {
    own.set(description.name, { metric, description });
    return metric;
  }

  const metrics: Metrics = {
    counter(short, help, labels = []) {
      const name = prefix + short;
      const present = own.get(name)?.metric;
      if (present instanceof Counter) return present;
      const counter = new Counter({ name, help, labelNames: [...labels], registers: [registry] });
      return keep(counter, { name, help, type: 'counter', labels, buckets: [] });
    },
    gauge(short, help, { labels = [], aggregator = 'sum', collect } = {}) {
      const name = prefix + short;
      const present = own.get(name)?.metric;
      const all = collects.get(name) ?? [];
      if (collect) collects.set(name, [...all, collect]);
      if (present instanceof Gauge) return present;
      const gauge: Gauge<string> = new Gauge({
        name,
        help,
        labelNames: [...labels],
        aggregator,
        registers: [registry],
        collect: async () => {
          for (const set of collects.get(name) ?? []) await set(gauge);
        },
      });
      return keep(gauge, { name, help, type: 'gauge', labels, buckets: [] });
    },
    histogram(short, help, { labels = [], buckets = [] } = {}) {
      const name = prefix + short;
      const present = own.get(name)?.metric;
      if (present instanceof Histogram) return present;
      const shape = { name, help, labelNames: [...labels], registers: [registry] };
      const histogram = new Histogram(buckets.length > 0 ? { ...shape, buckets: [...buckets] } : shape);
      return keep(histogram, { name, help, type: 'histogram', labels, buckets });
    },
    snapshot: async () => (await registry.getMetricsAsJSON()).map(inParts),
    text: () => registry.metrics(),
    describe: () => [...own.values()].map(({ description }) => description).toSorted(byName),
  };
  if (defaults === 'process') {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  if (defaults) measureThread(metrics, defaults === 'process' ? 'main' : defaults.thread);
  return metrics;
}

/** About a millionth. Multiples of it add up to the same in any order. */
const PART = 2 ** -20;

/**
 * Sums of what rises, cut to whole parts. Otherwise the sum over threads is another one, by its last bit, when one of them dies and the
 * others are added in another order: and for Prometheus a counter that has fallen by a bit has begun anew.
 */
function inParts(metric: MetricSnapshot[number]): MetricSnapshot[number] {
  const type = String(metric.type);
  if (type !== 'counter' && type !== 'histogram') return metric;
  for (const one of metric.values) one.value = Math.floor(one.value / PART) * PART;
  return metric;
}

function byName(a: MetricDescription, b: MetricDescription): number {
  return a.name < b.name ? -1 : 1;
}

/** One set of metrics from the snapshots of several threads: counters and histograms are summed, gauges by their own rule. */
export function mergeSnapshots(snapshots: readonly MetricSnapshot[]): Promise<MetricSnapshot> {
  return AggregatorRegistry.aggregate([...snapshots]).getMetricsAsJSON();
}

/** The same as one text for Prometheus. */
export function mergeMetrics(snapshots: readonly MetricSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate([...snapshots]).metrics();
}
