import type { Metrics } from '@parley/runtime';

interface Door {
  readonly connections: { readonly size: number };
  readonly admission: { readonly unidentified: number };
  /** What all sockets have still to send, and the one that has most. */
  readonly outgoing: () => { readonly sumBytes: number; readonly maxBytes: number };
}

/** What a socket door counts. */
export function countersOf(metrics: Metrics, { connections, admission, outgoing }: Door) {
  metrics.gauge('socket_connections', 'Open sockets', { collect: (gauge) => gauge.set(connections.size) });
  metrics.gauge('socket_unidentified', 'Open sockets that have not said who they are', {
    collect: (gauge) => gauge.set(admission.unidentified),
  });
  metrics.gauge('socket_buffered_bytes', 'Bytes that wait for the readers of all sockets', {
    collect: (gauge) => gauge.set(outgoing().sumBytes),
  });
  metrics.gauge('socket_buffered_max_bytes', 'Bytes that wait for the reader of the worst socket', {
    aggregator: 'max',
    collect: (gauge) => gauge.set(outgoing().maxBytes),
  });
  const sentFrames = metrics.counter('socket_sent_frames_total', 'Frames written to sockets');
  const sentBytes = metrics.counter('socket_sent_bytes_total', 'Bytes written to sockets');
  return {
    refusals: metrics.counter('socket_refusals_total', 'Upgrades refused', ['reason']),
    closes: metrics.counter('socket_closes_total', 'Sockets closed', ['code']),
    slowCuts: metrics.counter('socket_slow_cuts_total', 'Sockets closed because their readers were too slow'),
    frames: metrics.counter('socket_frames_total', 'Frames received'),
    sent: (frames: number, bytes: number) => {
      sentFrames.inc(frames);
      sentBytes.inc(bytes);
    },
  };
}
