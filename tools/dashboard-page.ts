/**
 * `npm run dashboard-page -- overview page.html`: writes a dashboard of deploy/grafana as one page of HTML, drawn from the last hour
 * (`--minutes 60`) of the Prometheus at `PROMETHEUS_URL` (by default http://127.0.0.1:9090). For where there is no Grafana, and for the picture in the README.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { drawPage } from './drawing/page.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '60' } },
});
const [name = 'overview', file = `${name}.html`] = positionals;
const to = Math.floor(Date.now() / 1_000);
const seconds = Number(values.minutes) * 60;
const span = { from: to - seconds, to, stepS: Math.max(1, Math.round(seconds / 200)) };
const dashboard = JSON.parse(readFileSync(`deploy/grafana/dashboards/${name}.json`, 'utf8'));
const prometheus = process.env.PROMETHEUS_URL ?? 'http://127.0.0.1:9090';
writeFileSync(file, await drawPage(dashboard, prometheus, span));
console.log(file);
