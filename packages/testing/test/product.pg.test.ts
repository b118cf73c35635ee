import { readFileSync } from 'node:fs';
import { migrate } from '@parley/store';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../src/vitest.ts';

interface Shown {
  readonly panels: { title: string; targets?: { rawSql: string; format: string }[] }[];
}

const dashboard: Shown = JSON.parse(readFileSync('deploy/grafana/dashboards/product.json', 'utf8'));
/** The line of the provisioning that says what Grafana's role must be allowed. */
const [, grant = ''] =
  /(grant select on .*) to <role>/.exec(readFileSync('deploy/grafana/provisioning/datasources/parley.yaml', 'utf8')) ??
  [];

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await testDatabase({ template: { name: 'store', build: migrate } });
  client = new pg.Client(database.url);
  await client.connect();
  await client.query(`
    insert into channels (id, kind, name, created_at, member_limit) values
      ('10000000-0000-4000-8000-000000000001', 'group', 'busy', 0, 100),
      ('10000000-0000-4000-8000-000000000002', 'direct', null, 0, 2);
    insert into analytics_day (day, messages, active_users, active_channels, persist_ms_p50, persist_ms_p95, persist_ms_p99)
      select current_date - i, 10 * (i + 1), case i when 9 then 0 else 5 end, 2, 8, 20, 40 from generate_series(0, 9) i;
    insert into analytics_channel_day (day, channel_id, messages, active_users)
      select current_date - i, '10000000-0000-4000-8000-000000000001', 7, 4 from generate_series(0, 9) i;
    insert into analytics_channel_day (day, channel_id, messages, active_users) values
      (current_date, '10000000-0000-4000-8000-000000000002', 3, 2);
    create role grafana_of_tests;
    ${grant} to grafana_of_tests;
    set role grafana_of_tests;
  `);
});
afterAll(async () => {
  await client?.query('reset role; drop owned by grafana_of_tests; drop role grafana_of_tests');
  await client?.end();
  await database?.[Symbol.asyncDispose]();
});

/** What a panel gets for the last 30 days, as Grafana fills in its macro. */
async function rowsOf(title: string): Promise<Record<string, unknown>[]> {
  const sql = dashboard.panels.find((panel) => panel.title === title)?.targets?.[0]?.rawSql ?? '';
  const filled = sql.replaceAll(/\$__timeFilter\(([\w.]+)\)/g, "$1 between now() - interval '30 days' and now()");
  return (await client.query(filled)).rows;
}

it('[ALERT-11] every panel of what people do answers, with no more rights than its data source asks for', async () => {
  const titles = dashboard.panels.filter(({ targets }) => targets).map(({ title }) => title);
  expect(titles.length).toBeGreaterThanOrEqual(6);
  for (const title of titles) expect(await rowsOf(title), title).not.toEqual([]);
  await expect(client.query('select * from messages')).rejects.toThrow(/permission denied/);
});

it('[ALERT-11] days come in order with a time, a day without users divides by nothing', async () => {
  const rows = await rowsOf('Messages for each active user');
  expect(rows.map(({ time }) => time)).toEqual(rows.map(({ time }) => time).sort((a, b) => Number(a) - Number(b)));
  expect(rows[0]).toMatchObject({ 'messages for each user': null, time: expect.any(Date) });
  expect(rows.at(-1)).toMatchObject({ 'messages for each user': 2 });
});

it('[ALERT-11] seven days are summed, and the busiest channel comes first', async () => {
  expect((await rowsOf('Messages of seven days')).at(-1)).toMatchObject({ messages: 280 });
  expect(await rowsOf('The busiest channels')).toEqual([
    { channel: 'busy', messages: '70', 'users on the best day': 4 },
    { channel: 'direct', messages: '3', 'users on the best day': 2 },
  ]);
});
