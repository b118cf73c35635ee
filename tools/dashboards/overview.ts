import { OUR_FAULT } from '../alerts/objectives.ts';
import { dashboard, type Row } from './layout.ts';
import { lines, rows, stat } from './panel.ts';
import { perSecond, quantile } from './promql.ts';

const ours = `outcome=~"${OUR_FAULT}"`;

const pages = (state: string) => `count(ALERTS{alertstate="${state}", severity="page"})`;

const verdict: Row = {
  title: 'Is chat fine?',
  height: 3,
  panels: [
    stat({
      title: 'Is chat fine?',
      about:
        'No: a page fires. Not sure: one begins, and fires if it goes on. Which: at the bottom, each with its section of the runbook.',
      unit: 'short',
      width: 4,
      queries: [{ expr: `2 * sgn(${pages('firing')}) or sgn(${pages('pending')}) or vector(0)`, legend: '' }],
      limits: { warn: 1, bad: 2 },
      words: {
        0: { text: 'Yes', color: 'green' },
        1: { text: 'Not sure', color: 'orange' },
        2: { text: 'No', color: 'red' },
      },
    }),
    stat({
      title: 'Sent',
      about: 'Messages that were accepted, per second.',
      unit: 'ops',
      width: 4,
      queries: [{ expr: perSecond('parley_message_accept_seconds_count'), legend: '' }],
    }),
    stat({
      title: 'Sender waits (p95)',
      about: 'From the arrival of a send to the answer of the log. Promised: 50 ms for 95 of 100.',
      unit: 's',
      width: 4,
      queries: [{ expr: quantile(0.95, 'parley_message_accept_seconds'), legend: '' }],
      limits: { warn: 0.05, bad: 0.25 },
    }),
    stat({
      title: 'Readers wait (p95)',
      about: 'From the accept to the feeds of a thread, across nodes. Promised: 100 ms for 95 of 100.',
      unit: 's',
      width: 4,
      queries: [{ expr: quantile(0.95, 'parley_message_delivery_seconds'), legend: '' }],
      limits: { warn: 0.1, bad: 0.5 },
    }),
    stat({
      title: 'Postgres is behind by',
      about: 'Age of the oldest entry that is accepted and not yet in Postgres.',
      unit: 's',
      width: 4,
      queries: [{ expr: 'max(parley_backlog_oldest_seconds)', legend: '' }],
      limits: { warn: 1, bad: 30 },
    }),
    stat({
      title: 'Connected',
      about: 'Open sockets and event streams.',
      unit: 'short',
      width: 4,
      queries: [{ expr: 'sum(parley_socket_connections) + sum(parley_stream_connections)', legend: '' }],
    }),
  ],
};

const flow: Row = {
  title: 'Are messages flowing, and how late?',
  height: 5,
  panels: [
    lines({
      title: 'Messages per second',
      about:
        'Accepted and persisted lie on one another; delivered counts once for each thread that has readers. Accepted without persisted: look at the workers. Accepted without delivered: at the log store.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: perSecond('parley_message_accept_seconds_count'), legend: 'accepted' },
        { expr: perSecond('parley_message_persist_seconds_count'), legend: 'persisted' },
        { expr: perSecond('parley_message_delivery_seconds_count'), legend: 'delivered' },
      ],
    }),
    lines({
      title: 'How late (p99)',
      about: 'The slowest of a hundred: until the sender has his answer, until readers have it, until Postgres has it.',
      unit: 's',
      width: 8,
      queries: [
        { expr: quantile(0.99, 'parley_message_accept_seconds'), legend: 'accepted' },
        { expr: quantile(0.99, 'parley_message_delivery_seconds'), legend: 'delivered' },
        { expr: quantile(0.99, 'parley_message_persist_seconds'), legend: 'persisted' },
      ],
    }),
    lines({
      title: 'How fast the error budgets burn',
      about: '1: what we promised is just kept. 14: a month of budget is gone in two days, and somebody is woken.',
      unit: 'short',
      width: 8,
      queries: [{ expr: 'parley:slo_error:ratio_rate1h / on (slo) parley:slo_budget:ratio', legend: '{{slo}}' }],
      limits: { warn: 1, bad: 14.4 },
    }),
  ],
};

const sufferers: Row = {
  title: 'Who suffers?',
  height: 5,
  panels: [
    lines({
      title: 'Calls that fail by our fault',
      about: 'Everybody who makes this call. What callers do wrong (FORBIDDEN, RATE_LIMITED …) is not in here.',
      unit: 'ops',
      width: 8,
      queries: [
        {
          expr: `topk(6, sum by (path, outcome) (rate(parley_call_seconds_count{${ours}}[$__rate_interval])) > 0)`,
          legend: '{{path}} {{outcome}}',
        },
      ],
    }),
    lines({
      title: 'Readers wait, by process (p95)',
      about: 'One line above the others: the users of that process. All of them: everybody.',
      unit: 's',
      width: 8,
      queries: [
        { expr: quantile(0.95, 'parley_message_delivery_seconds', { by: ['instance'] }), legend: '{{instance}}' },
      ],
    }),
    lines({
      title: 'Users turned away or cut off',
      about:
        'Upgrades refused, sockets cut because they read too slowly, limits, logins, feeds that had to begin anew.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: perSecond('parley_socket_refusals_total'), legend: 'refused at the door' },
        { expr: perSecond('parley_socket_slow_cuts_total'), legend: 'too slow' },
        { expr: perSecond('parley_limit_refusals_total'), legend: 'over a limit' },
        { expr: perSecond('parley_auth_failures_total'), legend: 'login' },
        { expr: perSecond('parley_hub_resyncs_total'), legend: 'resync' },
      ],
    }),
  ],
};

const dependencies: Row = {
  title: 'Which dependency?',
  height: 6,
  panels: [
    stat({
      title: 'Dependencies',
      about: 'Away: at least one thread of an api cannot reach it.',
      unit: 'short',
      width: 4,
      queries: [{ expr: 'max by (dependency) (parley_dependency_degraded)', legend: '{{dependency}}' }],
      limits: { warn: 1, bad: 1 },
      words: { 0: { text: 'here', color: 'green' }, 1: { text: 'AWAY', color: 'red' } },
    }),
    lines({
      title: 'Redis and Postgres answer in (p99)',
      about:
        'log late: sends are late. cache late: presence and lists. Postgres late: old pages, lists, and persisting.',
      unit: 's',
      width: 7,
      queries: [
        { expr: quantile(0.99, 'parley_redis_command_seconds', { by: ['store'] }), legend: 'Redis {{store}}' },
        { expr: quantile(0.99, 'parley_postgres_statement_seconds', { by: ['pool'] }), legend: 'Postgres {{pool}}' },
      ],
    }),
    lines({
      title: 'The busiest thread',
      about: 'Time that its event loop is busy. Near 1 everything of that process is late.',
      unit: 'percentunit',
      width: 5,
      max: 1,
      queries: [{ expr: 'max by (instance) (parley_thread_event_loop_utilization)', legend: '{{instance}}' }],
      limits: { warn: 0.7, bad: 0.9 },
    }),
    rows({
      title: 'What fires, or begins to',
      about: 'Alerts, and pages that fire if it goes on. The section of the runbook has the name of the alert.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `count by (severity, alertstate, alertname, dependency, kind, instance) (
  ALERTS{alertstate="firing"} or ALERTS{severity="page"}
)`,
          legend: '',
        },
      ],
      hidden: ['Value'],
      sortedBy: 'severity',
    }),
  ],
};

/** One screen for whoever was woken. */
export const overview = dashboard({
  uid: 'parley-overview',
  title: 'Parley: is chat fine?',
  about: 'Are messages flowing, how late, who suffers, which dependency.',
  rows: [verdict, flow, sufferers, dependencies],
});
