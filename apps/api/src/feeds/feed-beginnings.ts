import type { Metrics } from '@parley/runtime';

/** `head`: from where the channel is now. `resumed`: from where the client was. `resync`: that could not be continued. */
export type FeedBeginnings = (how: 'head' | 'resumed' | 'resync', replayed: number) => void;

/** Counts how feeds of channels begin, and what is replayed to those that go on. */
export function measureBeginnings(metrics: Metrics): FeedBeginnings {
  const resumes = metrics.counter('feed_resumes_total', 'Feeds of channels that were opened, by how they began', [
    'result',
  ]);
  const replayed = metrics.counter('feed_replayed_entries_total', 'Entries that were replayed to feeds that went on');
  for (const result of ['head', 'resumed', 'resync']) resumes.inc({ result }, 0);
  return (result, entries) => {
    resumes.inc({ result });
    replayed.inc(entries);
  };
}
