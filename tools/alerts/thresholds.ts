import type { AlertSettings } from '@parley/runtime';
import { bucketOf } from './objectives.ts';
import type { Alert, RuleGroup } from './rule-file.ts';

/** What the first designs asked for: a process, a pool or a cache that is near its end. */
function resources(settings: AlertSettings): Alert[] {
  const slow = `sum by (pool) (rate(parley_postgres_statement_seconds_count[5m]))
- sum by (pool) (rate(parley_postgres_statement_seconds_bucket{${bucketOf(settings.ALERT_SLOW_QUERY_MS)}}[5m]))`;
  return [
    {
      alert: 'ParleyCpuHigh',
      expr: `100 * sum by (job, instance) (rate(process_cpu_seconds_total[5m]))
/ on (job, instance) parley_process_cpu_limit_cores > ${settings.ALERT_CPU_THRESHOLD}`,
      for: '10m',
      severity: 'ticket',
      summary: '{{ $labels.instance }} ({{ $labels.job }}) uses {{ $value | humanize }} % of its CPU',
      impact: 'Nothing yet; above this, everything that this process does becomes slower.',
    },
    {
      alert: 'ParleyMemoryHigh',
      expr: `100 * process_resident_memory_bytes
/ on (job, instance) parley_process_memory_limit_bytes > ${settings.ALERT_MEMORY_THRESHOLD}`,
      for: '5m',
      severity: 'page',
      summary: '{{ $labels.instance }} ({{ $labels.job }}) uses {{ $value | humanize }} % of its memory',
      impact: 'If it is killed for it, its users connect elsewhere at once, all together.',
    },
    {
      alert: 'ParleyConnectionsHigh',
      expr: `parley_socket_connections + parley_stream_connections > ${settings.ALERT_CONNECTIONS}`,
      for: '5m',
      severity: 'ticket',
      summary: '{{ $labels.instance }} holds {{ $value }} connections',
      impact: 'Nothing yet; at MAX_CONNECTIONS newcomers are refused by this process.',
    },
    {
      alert: 'ParleySlowQueries',
      expr: `${slow} > 0`,
      for: '10m',
      severity: 'ticket',
      summary: `Statements of the pool {{ $labels.pool }} take longer than ${settings.ALERT_SLOW_QUERY_MS} ms`,
      impact: 'Older pages, lists and searches are slow. Sending needs no Postgres.',
    },
    {
      alert: 'ParleyCacheMissesHigh',
      expr: `100 * sum(rate(parley_cache_requests_total{outcome!="hit"}[15m]))
/ sum(rate(parley_cache_requests_total[15m])) > ${settings.ALERT_CACHE_MISS_PERCENT}
and sum(increase(parley_cache_requests_total[15m])) >= ${settings.ALERT_MIN_EVENTS}`,
      for: '15m',
      severity: 'ticket',
      summary: '{{ $value | humanize }} % of the copies that were asked for were not there',
      impact: 'Lists are somewhat slower, and Postgres has more to do.',
    },
    {
      alert: 'ParleyPoolNearlyFull',
      expr: `100 * sum by (job, instance, pool) (parley_postgres_pool_connections{state="busy"})
/ sum by (job, instance, pool) (parley_postgres_pool_max_connections) > ${settings.ALERT_POOL_PERCENT}`,
      for: '5m',
      severity: 'page',
      summary: 'The pool {{ $labels.pool }} of {{ $labels.instance }} is {{ $value | humanize }} % busy',
      impact: 'Calls that need Postgres wait for a connection and then fail with UNAVAILABLE.',
    },
  ];
}

/** Somebody or something is not there. */
function absences(settings: AlertSettings): Alert[] {
  return [
    {
      alert: 'ParleyApiGone',
      expr: 'absent(parley_socket_connections)',
      for: '2m',
      severity: 'page',
      summary: 'No api is seen',
      impact: 'Nobody can connect, or Prometheus sees none of those that serve.',
    },
    {
      alert: 'ParleyWorkersGone',
      expr: 'absent(parley_backlog_oldest_seconds)',
      for: '5m',
      severity: 'page',
      summary: 'No worker is seen',
      impact: 'Chat goes on, but nothing reaches Postgres and nobody who is away is told; the backlog fills.',
    },
    {
      alert: 'ParleyTargetDown',
      expr: 'up == 0 and on (job) group by (job) (last_over_time(parley_build_info[1d]))',
      for: '5m',
      severity: 'ticket',
      summary: '{{ $labels.instance }} ({{ $labels.job }}) does not answer',
      impact: 'None by itself: others have taken its work. One more may be felt.',
    },
    {
      alert: 'ParleyDependencyAway',
      expr: 'max by (dependency) (parley_dependency_degraded) > 0',
      for: '1m',
      severity: 'page',
      summary: '{{ $labels.dependency }} is away for at least one api',
      impact:
        'log: sends are refused. postgres: old pages and lists fail, sends go on. cache: slower, typing and presence stop.',
    },
    {
      alert: 'ParleyNothingDelivered',
      expr: `sum(rate(parley_message_accept_seconds_count[5m])) > 0
and sum(parley_hub_listeners) > 0
unless sum(rate(parley_message_delivery_seconds_count[5m])) > 0`,
      for: '5m',
      severity: 'page',
      summary: 'Messages are accepted, and none is delivered',
      impact: 'People send and nobody sees it.',
    },
    {
      alert: 'ParleyDrainStuck',
      expr: `parley_process_draining_seconds > ${settings.ALERT_DRAIN_S}`,
      for: '0m',
      severity: 'ticket',
      summary: '{{ $labels.instance }} has been draining for {{ $value | humanizeDuration }}',
      impact: 'A rollout or a scale-down waits for it. Its remaining users are cut when its grace ends.',
    },
  ];
}

/** What is accepted does not move on, or has been lost. */
function movement(settings: AlertSettings): Alert[] {
  return [
    {
      alert: 'ParleyPersistStalled',
      expr: `max(parley_backlog_oldest_seconds) > ${settings.ALERT_STALL_S}`,
      for: '1m',
      severity: 'page',
      summary: 'The oldest entry has waited {{ $value | humanizeDuration }} for Postgres',
      impact: 'Chat goes on. If it stays so the backlog fills, and then sends are refused.',
    },
    {
      alert: 'ParleyBacklogFilling',
      expr: `max(parley_backlog_entries) > ${settings.ALERT_BACKLOG_ENTRIES}`,
      for: '1m',
      severity: 'page',
      summary: '{{ $value }} entries wait for Postgres',
      impact: 'When a partition is full its channels refuse sends with BACKPRESSURE.',
    },
    {
      alert: 'ParleyLogMemoryHigh',
      expr: `100 * max(parley_redis_memory_used_bytes{store="log"})
/ (max(parley_redis_memory_max_bytes{store="log"}) > 0) > ${settings.ALERT_LOG_MEMORY_PERCENT}`,
      for: '5m',
      severity: 'page',
      summary: 'The log store uses {{ $value | humanize }} % of its memory',
      impact: 'At half of maxmemory every send is refused.',
    },
    {
      alert: 'ParleyEpochChanged',
      expr: 'sum(increase(parley_log_epoch_changes_total[10m])) > 0',
      for: '0m',
      severity: 'ticket',
      summary: 'The log store forgot something, or another one took its place',
      impact:
        'What was accepted and not persisted is sent again by its senders. Messages of clients that were closed may be lost.',
    },
    {
      alert: 'ParleyDeadLetters',
      expr: `max by (kind) (parley_job_dead_letters) > 0
or sum(increase(parley_drain_dead_letters_total[1h])) > 0`,
      for: '0m',
      severity: 'ticket',
      summary: 'Nobody could do {{ if $labels.kind }}jobs of {{ $labels.kind }}{{ else }}an entry of the log{{ end }}',
      impact: 'A push, a mail, a webhook call or an entry of the log is not done until somebody decides.',
    },
    {
      alert: 'ParleyJobsLate',
      expr: `max by (kind) (parley_job_oldest_waiting_seconds) > ${settings.ALERT_JOB_WAIT_S}`,
      for: '5m',
      severity: 'ticket',
      summary: 'The oldest job of {{ $labels.kind }} has waited {{ $value | humanizeDuration }}',
      impact: 'Pushes, mails, webhooks, clean-ups or daily counts come late.',
    },
    {
      alert: 'ParleyJobsFailing',
      expr: `sum by (kind) (rate(parley_job_seconds_count{outcome=~"retried|dead"}[30m]))
/ sum by (kind) (rate(parley_job_seconds_count[30m])) > 0.5`,
      for: '15m',
      severity: 'ticket',
      summary: '{{ $value | humanizePercentage }} of the runs of {{ $labels.kind }} fail',
      impact: 'Whoever is away may not be told; the jobs are tried again for hours, then they are dead letters.',
    },
  ];
}

/** Threads of one process. */
function threads(settings: AlertSettings): Alert[] {
  return [
    {
      alert: 'ParleyThreadsDying',
      expr: 'sum by (job, instance) (increase(parley_thread_deaths_total[15m])) > 0',
      for: '0m',
      severity: 'ticket',
      summary: 'Threads of {{ $labels.instance }} died',
      impact: 'Its users were cut off and came back within seconds. Five deaths in a minute end the process.',
    },
    {
      alert: 'ParleyLoopBusy',
      expr: `100 * max by (job, instance, thread) (parley_thread_event_loop_utilization) > ${settings.ALERT_LOOP_PERCENT}`,
      for: '5m',
      severity: 'ticket',
      summary: 'Thread {{ $labels.thread }} of {{ $labels.instance }} is busy {{ $value | humanize }} % of the time',
      impact: 'Its users see everything late; limits shrink by themselves.',
    },
  ];
}

/** The rules with a threshold, by what they watch. */
export function thresholdGroups(settings: AlertSettings): RuleGroup[] {
  return [
    { name: 'parley-resources', rules: resources(settings) },
    { name: 'parley-absences', rules: absences(settings) },
    { name: 'parley-movement', rules: movement(settings) },
    { name: 'parley-threads', rules: threads(settings) },
  ];
}
