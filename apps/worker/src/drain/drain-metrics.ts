import { LATENCY_BUCKETS, type Metrics } from '@parley/runtime';

/** What operators see of the drain. */
export type DrainMetrics = ReturnType<typeof createDrainMetrics>;

/** `secondsSince`: the time since a stamp of the log store's clock; without it nobody knows how long messages took to be persisted. */
export function createDrainMetrics(metrics: Metrics, secondsSince?: (at: number) => number) {
  const persist = metrics.histogram(
    'message_persist_seconds',
    'From the accept stamp of a message to its being committed to Postgres, once for each message',
    { buckets: LATENCY_BUCKETS },
  );
  const oldest = oldestAge(metrics);
  return {
    persisted: (acceptedAt: number) => {
      if (secondsSince) persist.observe(secondsSince(acceptedAt));
    },
    entries: metrics.counter('drain_entries_total', 'Log entries committed to Postgres, by what became of them', [
      'kind',
    ]),
    commits: metrics.histogram('drain_commit_seconds', 'Duration of the one statement of a drain', {
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    }),
    contended: metrics.counter('drain_contended_total', 'Partitions of a drain that another worker had moved or held'),
    deadLetters: metrics.counter('drain_dead_letters_total', 'Entries that nobody can persist, kept in dead_letter'),
    waiting: metrics.counter('drain_newer_entries_total', 'Reads that stopped at an entry of a newer version'),
    failures: metrics.counter('drain_failures_total', 'Rounds that failed and are tried again'),
    faults: metrics.counter('drain_faults_total', 'Partitions whose epoch or numbering was broken', ['fault']),
    lateSettlements: metrics.counter('drain_late_settlements_total', 'Partitions settled for a commit of the past'),
    takeovers: metrics.counter(
      'drain_takeovers_total',
      'Lanes drained because an entry was old, not because of a doorbell',
    ),
    oldest,
  };
}

/** The age of the oldest entry that is not in Postgres, as it was seen last. */
function oldestAge(metrics: Metrics) {
  let seconds = 0;
  metrics.gauge('backlog_oldest_seconds', 'Age of the oldest entry that is not in Postgres', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(seconds),
  });
  return {
    get seconds() {
      return seconds;
    },
    set seconds(age: number) {
      seconds = age;
    },
  };
}
