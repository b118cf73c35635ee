import { dashboard } from './layout.ts';
import { lines } from './panel.ts';
import { PICKED, perSecond, quantile } from './promql.ts';

const of = PICKED;

/** The three quantiles of a latency. */
const spread = (metric: string) =>
  [0.5, 0.95, 0.99].map((part) => ({ expr: quantile(part, metric, { of }), legend: `p${part * 100}` }));

const journey = [
  ['Accepted', 'parley_message_accept_seconds', 'From the arrival of a send to the answer of the log.', 0.05, 0.25],
  ['Delivered', 'parley_message_delivery_seconds', 'From the accept to the feeds of a thread, across nodes.', 0.1, 0.5],
  ['Persisted', 'parley_message_persist_seconds', 'From the accept to the commit in Postgres.', 1, 5],
] as const;

/** A message from its sender to Postgres. */
export const messages = dashboard({
  uid: 'parley-messages',
  title: 'Parley: the life of a message',
  about: 'Accepted, delivered, persisted, read; and the calls around it.',
  instancesOf: 'parley_build_info',
  rows: [
    {
      title: 'Each step, from the accept on',
      height: 7,
      panels: [
        ...journey.map(([title, metric, about, warn, bad]) =>
          lines({ title, about, unit: 's', width: 6, queries: spread(metric), limits: { warn, bad } }),
        ),
        lines({
          title: 'Read',
          about: 'From the accept to the mark of a member who has read it: people are slow.',
          unit: 's',
          width: 6,
          queries: spread('parley_message_receipt_seconds'),
        }),
      ],
    },
    {
      title: 'The log',
      height: 7,
      panels: [
        lines({
          title: 'Answers of the log',
          about: 'What the log said to sends and changes.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: perSecond('parley_log_verdicts_total', { of, by: ['call', 'verdict'] }),
              legend: '{{call}} {{verdict}}',
            },
          ],
        }),
        lines({
          title: 'Waiting for Postgres',
          about: 'Entries that are accepted and not yet persisted, whole deployment.',
          unit: 'short',
          width: 8,
          queries: [{ expr: 'max(parley_backlog_entries)', legend: 'entries' }],
          limits: { warn: 5_000, bad: 25_000 },
        }),
        lines({
          title: 'How far Postgres is behind',
          about: 'Age of the oldest waiting entry, and how long it takes to empty the backlog at the present rate.',
          unit: 's',
          width: 8,
          queries: [
            { expr: 'max(parley_backlog_oldest_seconds)', legend: 'oldest' },
            { expr: 'max(parley_backlog_drain_seconds)', legend: 'until empty' },
          ],
          limits: { warn: 1, bad: 30 },
        }),
      ],
    },
    {
      title: 'Fan-out',
      height: 7,
      panels: [
        lines({
          title: 'Publications',
          about: 'delivered is what should be. A gap is filled from the stores; a repeat is dropped.',
          unit: 'ops',
          width: 6,
          queries: [
            { expr: perSecond('parley_hub_publications_total', { of, by: ['outcome'] }), legend: '{{outcome}}' },
          ],
        }),
        lines({
          title: 'Feeds that one message wakes',
          about: 'On one thread. Large channels show here.',
          unit: 'short',
          width: 6,
          queries: spread('parley_hub_fanout_listeners'),
        }),
        lines({
          title: 'Filled, and begun anew',
          about: 'Entries that were missed and read from the stores; channels of a thread that had to begin anew.',
          unit: 'ops',
          width: 6,
          queries: [
            { expr: perSecond('parley_hub_filled_entries_total', { of }), legend: 'entries filled' },
            { expr: perSecond('parley_hub_fill_failures_total', { of }), legend: 'fills that failed' },
            { expr: perSecond('parley_hub_resyncs_total', { of, by: ['reason'] }), legend: 'resync: {{reason}}' },
          ],
        }),
        lines({
          title: 'Typing and presence',
          about: 'Told beside the log, and dropped when it is too much.',
          unit: 'ops',
          width: 6,
          queries: [
            { expr: perSecond('parley_ephemeral_events_total', { of }), legend: 'events' },
            { expr: perSecond('parley_presence_published_total', { of }), legend: 'changes of presence' },
          ],
        }),
      ],
    },
    {
      title: 'Calls',
      height: 8,
      panels: [
        lines({
          title: 'Calls per second',
          about: 'By procedure.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: `topk(10, ${perSecond('parley_call_seconds_count', { of, by: ['path'] })})`, legend: '{{path}}' },
          ],
        }),
        lines({
          title: 'Calls take (p95)',
          about: 'In the process; the way to the user is not in it.',
          unit: 's',
          width: 8,
          queries: [
            { expr: `topk(10, ${quantile(0.95, 'parley_call_seconds', { of, by: ['path'] })})`, legend: '{{path}}' },
          ],
        }),
        lines({
          title: 'Calls that fail',
          about:
            'By code. internal, UNAVAILABLE, UNKNOWN_RETRY and BACKPRESSURE are our fault; the others are answers.',
          unit: 'ops',
          width: 8,
          queries: [{ expr: perSecond('parley_call_failures_total', { of, by: ['code'] }), legend: '{{code}}' }],
        }),
      ],
    },
  ],
});
