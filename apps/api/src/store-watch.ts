import type { InboxEvent } from '@parley/protocol';
import type { BreakerState } from '@parley/runtime';

type StoreName = Extract<InboxEvent, { type: 'degraded' }>['store'];
type Announcement = Extract<InboxEvent, { type: 'degraded' | 'recovered' }>;

/** Makes of a breaker's changes what clients are told: once that a store is away, and once that it is back. */
export function createStoreWatch(announce: (event: Announcement) => void) {
  return (store: StoreName) => {
    let away = false;
    return (state: BreakerState): void => {
      const at = Date.now();
      if (state === 'open' && !away) {
        away = true;
        announce({ type: 'degraded', at, store, since: at });
      } else if (state === 'closed' && away) {
        away = false;
        announce({ type: 'recovered', at, store });
      }
    };
  };
}
