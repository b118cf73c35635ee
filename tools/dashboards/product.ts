import { dashboard } from './layout.ts';
import { days, list } from './panel.ts';

const byDay = (columns: string) =>
  `select day::timestamp as "time", ${columns} from analytics_day where $__timeFilter(day) order by day`;

/** What people do, by day, from the tables that the job `count-days` fills. */
export const product = dashboard({
  uid: 'parley-product',
  title: 'Parley: what people do',
  about: 'Messages, active users and channels by day (UTC), and how long a message took to Postgres. No user is named.',
  usesPostgres: true,
  from: 'now-30d',
  rows: [
    {
      title: 'By day',
      height: 8,
      panels: [
        days({
          title: 'Messages',
          about: 'Said on that day.',
          unit: 'short',
          width: 8,
          sql: byDay('messages'),
        }),
        days({
          title: 'Active users and channels',
          about: 'Users who said something; channels in which something was said.',
          unit: 'short',
          width: 8,
          sql: byDay('active_users as "users", active_channels as "channels"'),
        }),
        days({
          title: 'Messages for each active user',
          about: 'Whether people talk more, or more people talk.',
          unit: 'short',
          width: 8,
          sql: byDay('messages::float8 / nullif(active_users, 0) as "messages for each user"'),
        }),
      ],
    },
    {
      title: 'The week, and the busiest channels',
      height: 9,
      panels: [
        days({
          title: 'From the log to Postgres',
          about: 'Milliseconds, of the messages of the day.',
          unit: 'ms',
          width: 8,
          sql: byDay('persist_ms_p50 as "p50", persist_ms_p95 as "p95", persist_ms_p99 as "p99"'),
        }),
        days({
          title: 'Messages of seven days',
          about: 'The sum up to that day: weekends level out.',
          unit: 'short',
          width: 8,
          sql: `select day::timestamp as "time", sum(messages) over (order by day range between interval '6 days' preceding and current row)::float8 as "messages"
from analytics_day where $__timeFilter(day) order by day`,
        }),
        list({
          title: 'The busiest channels',
          about: 'Of the time that is shown.',
          unit: 'short',
          width: 8,
          sql: `select coalesce(c.name, c.kind) as "channel", sum(d.messages) as "messages", max(d.active_users) as "users on the best day"
from analytics_channel_day d join channels c on c.id = d.channel_id
where $__timeFilter(d.day) group by c.id, c.name, c.kind order by sum(d.messages) desc limit 20`,
        }),
      ],
    },
  ],
});
