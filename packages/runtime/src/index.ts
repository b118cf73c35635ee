export { type AlertSettings, alertSettings } from './alert-settings.ts';
export { backoffMs } from './backoff.ts';
export { type Breaker, BreakerOpenError, type BreakerState, createBreaker } from './breaker.ts';
export { type Clock, systemClock } from './clock.ts';
export { COMMAND_BUCKETS, LATENCY_BUCKETS } from './latency-buckets.ts';
export { createLog, type Log } from './log.ts';
export { Loop } from './loop.ts';
export { MetricReading, type Timing } from './metric-reading.ts';
export { createMetrics, type MetricDescription, type MetricSnapshot, type Metrics, mergeMetrics } from './metrics.ts';
export { createOpsServer, type OpsServer, type Readiness } from './ops-server.ts';
export { reservePort } from './ports.ts';
export { memoryLimitBytes } from './process-limits.ts';
export { measureProcess, type ProcessMetrics } from './process-metrics.ts';
export { Lifecycle, type Service } from './service.ts';
export { bool, integer, list, oneOf, text, url } from './setting-values.ts';
export {
  type Definitions,
  describeSettings,
  readSettings,
  type Setting,
  type SettingDescription,
  SettingsError,
  setting,
  type Values,
} from './settings.ts';
export { singleFlight } from './single-flight.ts';
export { joinSupervisor, type Membership } from './threads/join.ts';
export { superviseThreads, type ThreadSupervisor, type ThreadView } from './threads/supervisor.ts';
