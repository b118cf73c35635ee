import type { FeedEntry, ResyncReason } from '@parley/domain';
import { LATENCY_BUCKETS, type Metrics } from '@parley/runtime';

const OUTCOMES = ['delivered', 'repeat', 'gap', 'unreadable'] as const;
const REASONS = ['behind', 'ahead', 'epoch', 'retention'] as const satisfies readonly ResyncReason[];
const FANOUT_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/** What operators see of a hub. Nothing here is done for each delivery: a publication costs the same for any number of feeds. */
export interface HubMeasure {
  count(what: 'repeat' | 'gap' | 'unreadable' | 'fill_failed'): void;
  resync(reason: ResyncReason): void;
  /** An entry that was published is at hand for so many feeds. */
  delivered(entry: FeedEntry, feeds: number): void;
  /** The same of entries that were missed. */
  filled(entries: readonly FeedEntry[], feeds: number): void;
}

/** `secondsSince`: the time since a stamp of the log store's clock. Without it latencies are not measured. */
export function measureHub(
  metrics: Pick<Metrics, 'counter' | 'histogram'>,
  secondsSince?: (at: number) => number,
): HubMeasure {
  const help = 'What became of publications of channels, once for each thread';
  const publications = metrics.counter('hub_publications_total', help, ['outcome']);
  const filled = metrics.counter('hub_filled_entries_total', 'Entries that were missed and then read from the stores');
  const failures = metrics.counter('hub_fill_failures_total', 'Such readings that failed and are tried again');
  const resyncs = metrics.counter('hub_resyncs_total', 'Channels of a thread that had to begin anew', ['reason']);
  const delivery = metrics.histogram(
    'message_delivery_seconds',
    'From the accept stamp of a message to its being at hand for the feeds of a thread, once for each thread with such feeds',
    { buckets: LATENCY_BUCKETS },
  );
  const fanout = metrics.histogram('hub_fanout_listeners', 'Feeds of a thread that one entry wakes', {
    buckets: FANOUT_BUCKETS,
  });
  // What has not happened yet is 0, not absent: else its first increase cannot be seen.
  for (const outcome of OUTCOMES) publications.inc({ outcome }, 0);
  for (const reason of REASONS) resyncs.inc({ reason }, 0);
  const children = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, publications.labels(outcome)]));
  const told = (entry: FeedEntry, feeds: number) => {
    fanout.observe(feeds);
    if (entry.event?.type === 'message.created' && secondsSince) delivery.observe(secondsSince(entry.at));
  };
  return {
    count: (what) => {
      if (what === 'fill_failed') failures.inc();
      else children[what]?.inc();
    },
    resync: (reason) => resyncs.inc({ reason }),
    delivered: (entry, feeds) => {
      children.delivered?.inc();
      told(entry, feeds);
    },
    filled: (entries, feeds) => {
      filled.inc(entries.length);
      for (const entry of entries) told(entry, feeds);
    },
  };
}
