import { MetricReading, type MetricSnapshot, memoryLimitBytes } from '@parley/runtime';

type View = () => Promise<unknown>;

/** What the ops port shows as JSON, by path: the metrics of all threads for a look without Prometheus. */
export function createViews(snapshot: () => Promise<MetricSnapshot>): Record<string, View> {
  const view = (show: (metrics: MetricReading) => unknown) => async () => show(new MetricReading(await snapshot()));
  return {
    '/metrics/performance': view(performanceOf),
    '/metrics/database': view(databaseOf),
    '/metrics/websocket': view(connectionsOf),
    '/metrics/cache': view(cachesOf),
  };
}

function performanceOf(metrics: MetricReading) {
  const calls = metrics.timing('parley_call_seconds');
  const ok = metrics.timing('parley_call_seconds', { outcome: 'ok' }).count;
  const internal = metrics.sum('parley_call_failures_total', { code: 'internal' });
  const accepted = metrics.timing('parley_message_accept_seconds');
  return {
    uptimeSeconds: Math.round(process.uptime()),
    threads: {
      ready: metrics.sum('parley_threads_ready'),
      deaths: metrics.sum('parley_thread_deaths_total'),
      eventLoopUtilization: metrics.by('parley_thread_event_loop_utilization', 'thread'),
      eventLoopLagSeconds: metrics.by('parley_thread_event_loop_lag_seconds', 'thread'),
      heapUsedBytes: metrics.by('parley_thread_heap_used_bytes', 'thread'),
    },
    cpuSeconds: metrics.sum('process_cpu_seconds_total'),
    memory: { residentBytes: metrics.sum('process_resident_memory_bytes'), limitBytes: memoryLimitBytes() },
    calls: { ...calls, refused: calls.count - ok, errorRate: calls.count === 0 ? 0 : internal / calls.count },
    messages: {
      perSecond: accepted.count / process.uptime(),
      accept: accepted,
      delivery: metrics.timing('parley_message_delivery_seconds'),
      receipt: metrics.timing('parley_message_receipt_seconds'),
    },
    limits: { refusals: metrics.by('parley_limit_refusals_total', 'limit') },
  };
}

function databaseOf(metrics: MetricReading) {
  return {
    degraded: metrics.sum('parley_dependency_degraded', { dependency: 'postgres' }) > 0,
    pools: poolsOf(metrics),
    statements: metrics.timing('parley_postgres_statement_seconds'),
    failed: metrics.timing('parley_postgres_statement_seconds', { outcome: 'failed' }).count,
    slow: metrics.by('parley_postgres_slow_statements_total', 'statement'),
  };
}

/** How each pool is used: over all threads, as its greatest number is. */
export function poolsOf(metrics: MetricReading) {
  const max = metrics.by('parley_postgres_pool_max_connections', 'pool');
  return Object.entries(max).map(([pool, most]) => {
    const { busy = 0, idle = 0 } = metrics.by('parley_postgres_pool_connections', 'state', { pool });
    return { pool, busy, idle, waiting: metrics.sum('parley_postgres_pool_waiting', { pool }), max: most };
  });
}

function connectionsOf(metrics: MetricReading) {
  return {
    sockets: metrics.sum('parley_socket_connections'),
    unidentified: metrics.sum('parley_socket_unidentified'),
    streams: metrics.sum('parley_stream_connections'),
    framesReceived: metrics.sum('parley_socket_frames_total'),
    closes: metrics.by('parley_socket_closes_total', 'code'),
    refusals: metrics.by('parley_socket_refusals_total', 'reason'),
    streamEnds: metrics.by('parley_stream_ends_total', 'why'),
    notLetIn: metrics.by('parley_auth_failures_total', 'code'),
    channels: { open: metrics.sum('parley_hub_channels'), feeds: metrics.sum('parley_hub_listeners') },
    publications: metrics.by('parley_hub_publications_total', 'outcome'),
    users: { sessions: metrics.sum('parley_presence_sessions') },
  };
}

function cachesOf(metrics: MetricReading) {
  const asked = metrics.by('parley_cache_requests_total', 'cache');
  const caches = Object.keys(asked).map((cache) => {
    const { hit = 0, miss = 0, error = 0 } = metrics.by('parley_cache_requests_total', 'outcome', { cache });
    return { cache, hit, miss, error, hitRate: hit / Math.max(1, hit + miss + error) };
  });
  const storeOf = (store: string) => ({
    degraded: metrics.sum('parley_dependency_degraded', { dependency: store }) > 0,
    commands: metrics.timing('parley_redis_command_seconds', { store }),
    failed: metrics.sum('parley_redis_command_failures_total', { store }),
    reconnects: metrics.sum('parley_redis_reconnects_total', { store }),
  });
  return { caches, stores: { log: storeOf('log'), cache: storeOf('cache') } };
}
