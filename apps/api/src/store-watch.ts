import type { InboxEvent } from '@parley/protocol';
import type { BreakerState, Metrics } from '@parley/runtime';

type Announcement = Extract<InboxEvent, { type: 'degraded' | 'recovered' }>;

interface Connection {
  on(event: 'close' | 'ready', listener: () => void): unknown;
}

/** Sees by its breaker and its connection whether a store is away. */
export interface StoreWatch {
  readonly onBreaker: (state: BreakerState) => void;
  follow(connection: Connection): void;
}

/** Makes of what is seen of a store what clients are told: once that it is away, and once that it is back. */
export function watchStore(
  store: Announcement['store'],
  announce: (event: Announcement) => void,
  metrics: Pick<Metrics, 'counter' | 'gauge'>,
): StoreWatch {
  const causes = new Set<'breaker' | 'connection'>();
  metrics.gauge('dependency_degraded', '1 while a thread of the process sees a store as away, else 0', {
    labels: ['dependency'],
    aggregator: 'max',
    collect: (gauge) => gauge.set({ dependency: store }, causes.size > 0 ? 1 : 0),
  });
  const help = 'How often a thread began to see a store as away';
  const outages = metrics.counter('dependency_outages_total', help, ['dependency']).labels(store);
  outages.inc(0);
  const see = (cause: 'breaker' | 'connection', away: boolean) => {
    const before = causes.size;
    if (away) causes.add(cause);
    else causes.delete(cause);
    const at = Date.now();
    if (before === 0 && causes.size > 0) {
      outages.inc();
      announce({ type: 'degraded', at, store, since: at });
    }
    if (before > 0 && causes.size === 0) announce({ type: 'recovered', at, store });
  };
  return {
    onBreaker: (state) => {
      // A probe under way has proved nothing yet.
      if (state !== 'half-open') see('breaker', state === 'open');
    },
    follow: (connection) => {
      connection.on('close', () => see('connection', true));
      connection.on('ready', () => see('connection', false));
    },
  };
}
