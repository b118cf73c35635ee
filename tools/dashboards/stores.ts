import { dashboard } from './layout.ts';
import { lines, stat } from './panel.ts';
import { PICKED, perSecond, quantile, total } from './promql.ts';

const of = PICKED;

/** What Parley stands on: two Redis, Postgres, the queues. */
export const stores = dashboard({
  uid: 'parley-stores',
  title: 'Parley: Redis, Postgres and queues',
  about: 'How fast they answer, how full they are, what fails.',
  instancesOf: 'parley_build_info',
  rows: [
    {
      title: 'Here or away',
      height: 4,
      panels: [
        stat({
          title: 'Dependencies',
          about: 'Away: at least one thread of an api cannot reach it.',
          unit: 'short',
          width: 12,
          queries: [{ expr: 'max by (dependency) (parley_dependency_degraded)', legend: '{{dependency}}' }],
          limits: { warn: 1, bad: 1 },
          words: { 0: { text: 'here', color: 'green' }, 1: { text: 'AWAY', color: 'red' } },
        }),
        lines({
          title: 'Outages begun',
          about: 'How often a process lost sight of one in the last ten minutes.',
          unit: 'short',
          width: 12,
          queries: [
            { expr: 'sum by (dependency) (increase(parley_dependency_outages_total[10m]))', legend: '{{dependency}}' },
          ],
        }),
      ],
    },
    {
      title: 'Redis',
      height: 7,
      panels: [
        lines({
          title: 'Commands take (p99)',
          about: 'From send to reply. The log store flushes to its disk before it answers.',
          unit: 's',
          width: 6,
          queries: [
            { expr: quantile(0.99, 'parley_redis_command_seconds', { of, by: ['store'] }), legend: '{{store}}' },
          ],
        }),
        lines({
          title: 'Commands per second',
          about: 'The ten most frequent.',
          unit: 'ops',
          width: 6,
          queries: [
            {
              expr: `topk(10, ${perSecond('parley_redis_command_seconds_count', { of, by: ['store', 'command'] })})`,
              legend: '{{store}} {{command}}',
            },
          ],
        }),
        lines({
          title: 'Failures and reconnects',
          about: 'Commands that failed or were not answered in time; connections that came back.',
          unit: 'ops',
          width: 6,
          queries: [
            {
              expr: perSecond('parley_redis_command_failures_total', { of, by: ['store'] }),
              legend: 'failed: {{store}}',
            },
            {
              expr: perSecond('parley_redis_reconnects_total', { of, by: ['store'] }),
              legend: 'reconnected: {{store}}',
            },
          ],
        }),
        lines({
          title: 'Memory, of maxmemory',
          about: 'The log store refuses sends at half. The cache store may be full.',
          unit: 'percentunit',
          width: 6,
          max: 1,
          queries: [
            {
              expr: 'max by (store) (parley_redis_memory_used_bytes) / (max by (store) (parley_redis_memory_max_bytes) > 0)',
              legend: '{{store}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Postgres',
      height: 7,
      panels: [
        lines({
          title: 'Statements take (p95, p99)',
          about: 'The wait for a connection is in it.',
          unit: 's',
          width: 6,
          queries: [0.95, 0.99].map((part) => ({
            expr: quantile(part, 'parley_postgres_statement_seconds', { of, by: ['pool'] }),
            legend: `{{pool}} p${part * 100}`,
          })),
        }),
        lines({
          title: 'Statements per second',
          about: 'A send costs none.',
          unit: 'ops',
          width: 6,
          queries: [
            {
              expr: perSecond('parley_postgres_statement_seconds_count', { of, by: ['pool', 'outcome'] }),
              legend: '{{pool}} {{outcome}}',
            },
          ],
        }),
        lines({
          title: 'Connections that are busy',
          about: 'Of those that the pools may have. Waiting: statements that have none yet.',
          unit: 'short',
          width: 6,
          queries: [
            {
              expr: total('parley_postgres_pool_connections', { of: `${of}, state="busy"`, by: ['pool'] }),
              legend: '{{pool}} busy',
            },
            { expr: total('parley_postgres_pool_waiting', { of, by: ['pool'] }), legend: '{{pool}} waiting' },
            { expr: total('parley_postgres_pool_max_connections', { of, by: ['pool'] }), legend: '{{pool}} most' },
          ],
        }),
        lines({
          title: 'Slow statements',
          about: 'In the last ten minutes, above DB_SLOW_STATEMENT_MS, by name; the log says more.',
          unit: 'short',
          width: 6,
          queries: [
            {
              expr: 'sum by (statement) (increase(parley_postgres_slow_statements_total[10m]))',
              legend: '{{statement}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'From the log to Postgres',
      height: 7,
      panels: [
        lines({
          title: 'Entries committed',
          about: 'By what became of them.',
          unit: 'ops',
          width: 8,
          queries: [{ expr: perSecond('parley_drain_entries_total', { of, by: ['kind'] }), legend: '{{kind}}' }],
        }),
        lines({
          title: 'One commit takes',
          about: 'The one statement of a drain.',
          unit: 's',
          width: 8,
          queries: [0.5, 0.99].map((part) => ({
            expr: quantile(part, 'parley_drain_commit_seconds', { of }),
            legend: `p${part * 100}`,
          })),
        }),
        lines({
          title: 'What went not as planned',
          about: 'Contended and taken over is normal with several workers. Failures, dead letters and faults are not.',
          unit: 'ops',
          width: 8,
          queries: [
            ['contended', 'parley_drain_contended_total'],
            ['taken over', 'parley_drain_takeovers_total'],
            ['failures', 'parley_drain_failures_total'],
            ['dead letters', 'parley_drain_dead_letters_total'],
            ['newer version', 'parley_drain_newer_entries_total'],
            ['epochs begun', 'parley_log_epoch_changes_total'],
          ].map(([legend = '', metric = '']) => ({ expr: perSecond(metric, { of }), legend })),
        }),
      ],
    },
    {
      title: 'Queues',
      height: 7,
      panels: [
        lines({
          title: 'The oldest job that could run and does not',
          about: 'By kind, whole deployment.',
          unit: 's',
          width: 6,
          queries: [{ expr: 'max by (kind) (parley_job_oldest_waiting_seconds)', legend: '{{kind}}' }],
        }),
        lines({
          title: 'Jobs that wait',
          about: 'Could run, and those whose time has not come.',
          unit: 'short',
          width: 6,
          queries: [
            { expr: 'max by (kind) (parley_job_waiting) > 0', legend: '{{kind}}' },
            { expr: 'max by (kind) (parley_job_delayed) > 0', legend: '{{kind}} (later)' },
          ],
        }),
        lines({
          title: 'Runs',
          about: 'By how they end.',
          unit: 'ops',
          width: 6,
          queries: [
            {
              expr: perSecond('parley_job_seconds_count', { of, by: ['kind', 'outcome'] }),
              legend: '{{kind}} {{outcome}}',
            },
          ],
        }),
        stat({
          title: 'Dead letters',
          about: 'Nobody could do these. `npm run dead-letters` shows them.',
          unit: 'short',
          width: 6,
          queries: [{ expr: 'sum(max by (kind) (parley_job_dead_letters))', legend: '' }],
          limits: { warn: 1, bad: 100 },
        }),
      ],
    },
    {
      title: 'Copies',
      height: 7,
      panels: [
        lines({
          title: 'Found, of those asked for',
          about: 'By cache. What is behind each name: docs/caches.md.',
          unit: 'percentunit',
          width: 12,
          max: 1,
          queries: [
            {
              expr: `${perSecond('parley_cache_requests_total', { of: `${of}, outcome="hit"`, by: ['cache'] })}
/ ${perSecond('parley_cache_requests_total', { of, by: ['cache'] })}`,
              legend: '{{cache}}',
            },
          ],
        }),
        lines({
          title: 'Asked for',
          about: 'By how it ended. error: the cache store did not answer, and the source was asked.',
          unit: 'ops',
          width: 12,
          queries: [{ expr: perSecond('parley_cache_requests_total', { of, by: ['outcome'] }), legend: '{{outcome}}' }],
        }),
      ],
    },
  ],
});
