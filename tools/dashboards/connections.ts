import { dashboard } from './layout.ts';
import { lines, stat } from './panel.ts';
import { PICKED, perSecond, total } from './promql.ts';

const of = PICKED;
const each = { of, by: ['instance'] };

/** Who is connected, who is turned away, and a rollout as it happens. */
export const connections = dashboard({
  uid: 'parley-connections',
  title: 'Parley: connections and drain',
  about: 'Sockets and streams, the door, slow readers, and processes that are asked to end.',
  instancesOf: 'parley_socket_connections',
  rows: [
    {
      title: 'Who is here',
      height: 7,
      panels: [
        lines({
          title: 'Open sockets, by process',
          about: 'After a rollout the new processes fill up as clients come back; nothing has to be sticky.',
          unit: 'short',
          width: 8,
          stacked: true,
          queries: [{ expr: total('parley_socket_connections', each), legend: '{{instance}}' }],
        }),
        lines({
          title: 'Other connections',
          about: 'Event streams, and sockets that have not yet said who they are: those should be few and brief.',
          unit: 'short',
          width: 8,
          queries: [
            { expr: total('parley_stream_connections', { of }), legend: 'event streams' },
            { expr: total('parley_socket_unidentified', { of }), legend: 'not yet identified' },
          ],
        }),
        lines({
          title: 'Users and sessions',
          about: 'As presence counts them; a user with two devices has two sessions.',
          unit: 'short',
          width: 8,
          queries: [
            { expr: total('parley_presence_users', { of }), legend: 'users' },
            { expr: total('parley_presence_sessions', { of }), legend: 'sessions' },
            { expr: total('parley_hub_listeners', { of }), legend: 'open feeds' },
          ],
        }),
      ],
    },
    {
      title: 'Drain',
      height: 5,
      panels: [
        stat({
          title: 'Draining',
          about: 'Processes that were told to end and are not gone yet.',
          unit: 'short',
          width: 6,
          queries: [{ expr: total('parley_process_draining', {}), legend: '' }],
        }),
        lines({
          title: 'Left to move',
          about:
            'Connections of draining processes. It falls to 0 within DRAIN_WINDOW_MS; what is left is closed with 1012.',
          unit: 'short',
          width: 9,
          queries: [
            {
              expr: '(parley_socket_connections + parley_stream_connections) * on (job, instance) parley_process_draining',
              legend: '{{instance}}',
            },
          ],
        }),
        lines({
          title: 'Draining for',
          about: 'Seconds since SIGTERM.',
          unit: 's',
          width: 9,
          queries: [{ expr: 'max by (instance) (parley_process_draining_seconds)', legend: '{{instance}}' }],
          limits: { warn: 60, bad: 120 },
        }),
      ],
    },
    {
      title: 'Comings and goings',
      height: 7,
      panels: [
        lines({
          title: 'Sockets closed, by code',
          about:
            '1000, 1001, 1005: they left. 4001: drain. 4003: token expired. 4008: read too slowly. 4029: too many. 1012: cut by a restart.',
          unit: 'ops',
          width: 8,
          queries: [{ expr: perSecond('parley_socket_closes_total', { of, by: ['code'] }), legend: '{{code}}' }],
        }),
        lines({
          title: 'Refused at the door, by reason',
          about: 'Before anybody knows who it is.',
          unit: 'ops',
          width: 8,
          queries: [{ expr: perSecond('parley_socket_refusals_total', { of, by: ['reason'] }), legend: '{{reason}}' }],
        }),
        lines({
          title: 'Feeds begin',
          about: 'resumed: it went on where it was, and entries were replayed to it. resync: it had to begin anew.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: perSecond('parley_feed_resumes_total', { of, by: ['result'] }), legend: '{{result}}' },
            { expr: perSecond('parley_feed_replayed_entries_total', { of }), legend: 'entries replayed' },
          ],
        }),
      ],
    },
    {
      title: 'Readers that cannot keep up, callers that are too fast',
      height: 7,
      panels: [
        lines({
          title: 'Waiting in send buffers',
          about: 'All sockets, and the worst one. A socket is cut at 1 MB or after 10 s.',
          unit: 'bytes',
          width: 6,
          queries: [
            { expr: total('parley_socket_buffered_bytes', { of }), legend: 'all' },
            { expr: `max(parley_socket_buffered_max_bytes{${of}})`, legend: 'the worst' },
          ],
        }),
        lines({
          title: 'Cut because too slow',
          about: 'They come back and resume. Many at once: look at the way to the users.',
          unit: 'ops',
          width: 6,
          queries: [{ expr: perSecond('parley_socket_slow_cuts_total', each), legend: '{{instance}}' }],
        }),
        lines({
          title: 'Frames',
          about: 'Read from sockets, written to sockets.',
          unit: 'ops',
          width: 6,
          queries: [
            { expr: perSecond('parley_socket_frames_total', { of }), legend: 'read' },
            { expr: perSecond('parley_socket_sent_frames_total', { of }), legend: 'written' },
          ],
        }),
        lines({
          title: 'Limits',
          about: 'Calls over a limit of their user, by limit; failed logins, by code.',
          unit: 'ops',
          width: 6,
          queries: [
            { expr: perSecond('parley_limit_refusals_total', { of, by: ['limit'] }), legend: '{{limit}}' },
            { expr: perSecond('parley_auth_failures_total', { of, by: ['code'] }), legend: 'login: {{code}}' },
          ],
        }),
      ],
    },
  ],
});
