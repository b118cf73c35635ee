import type { Metrics } from '@parley/runtime';
import type { Admission } from './admission.ts';

/** What a socket door counts. */
export function countersOf(metrics: Metrics, connections: { readonly size: number }, admission: Admission) {
  metrics.gauge('socket_connections', 'Open sockets', { collect: (gauge) => gauge.set(connections.size) });
  metrics.gauge('socket_unidentified', 'Open sockets that have not said who they are', {
    collect: (gauge) => gauge.set(admission.unidentified),
  });
  return {
    refusals: metrics.counter('socket_refusals_total', 'Upgrades refused', ['reason']),
    closes: metrics.counter('socket_closes_total', 'Sockets closed', ['code']),
    frames: metrics.counter('socket_frames_total', 'Frames received'),
  };
}
