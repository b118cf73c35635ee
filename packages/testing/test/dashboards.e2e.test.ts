import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { migrate } from '@parley/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../src/cluster.ts';
import { gather, settled, talk, times } from './crowd.ts';
import { type Matched, readPromql } from './promql.ts';
import { readScrapes, type ScrapedSeries } from './scrape.ts';
import { StockUser, signIn } from './stock-user.ts';

/** An expression, and where it stands. */
interface Used {
  readonly where: string;
  readonly expr: string;
  /** Labels that are shown or matched beside the expression. */
  readonly shows: readonly string[];
}

let cluster: Cluster;
let series: ScrapedSeries;

beforeAll(async () => {
  // Every statement is a slow one, so that they are counted by name.
  cluster = await startCluster({ apis: 1, workers: 1, migrate, env: { DB_SLOW_STATEMENT_MS: '1' } });
  await live();
  const pages = [...cluster.apis, ...cluster.workers].map(async ({ opsPort }) =>
    (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text(),
  );
  series = readScrapes(await Promise.all(pages));
  for (const [record, labels] of recorded()) series.set(record, labels);
  // What Prometheus makes by itself.
  series.set('up', new Set(['job', 'instance']));
  const ofAlerts = alertsOf(series).flatMap(({ shows }) => shows);
  series.set('ALERTS', new Set(['alertname', 'alertstate', 'severity', ...ofAlerts]));
}, 120_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** People talk, and whatever has labels happens once: refusals, a limit, a resume, a failed login, a lost reader. */
async function live(): Promise<void> {
  const [api] = cluster.apis;
  if (!api) throw new Error('no api');
  await using crowd = await gather(cluster, { users: 4, channels: 2, perChannel: 3 });
  await talk(crowd, times(40));
  await settled(crowd, 20_000);
  const [channel] = crowd.channels;
  const [owner, reader] = channel?.members ?? [];
  if (!channel || !owner || !reader) throw new Error('nobody is there');
  const stranger = new StockUser('stranger', await signIn(api.url, 'stranger'), () => api.url);
  await expect(stranger.client.message.page.query({ channelId: channel.id })).rejects.toThrow();
  await stranger[Symbol.asyncDispose]();
  await owner.client.channel.list.query({});
  const makeMany = async () => {
    for (;;) await reader.client.channel.create.mutate({ kind: 'group', name: 'one more', memberIds: [] });
  };
  await expect(makeMany()).rejects.toThrow();
  await fetch(`${api.url}/trpc/user.me`, { headers: { authorization: 'Bearer nobody' } });
  await new Promise((turnedAway) => {
    new WebSocket(`${api.url.replace('http', 'ws')}/nowhere`).addEventListener('error', turnedAway);
  });
}

const RULES = 'deploy/prometheus/rules/parley.yaml';

interface Rule {
  readonly name: string;
  readonly isAlert: boolean;
  readonly expr: string;
  readonly labels: readonly string[];
  readonly text: string;
}

/** The file is ours and always has the same shape, so that no YAML parser is needed. */
function rulesOf(yaml: string): Rule[] {
  return yaml
    .split(/^ {6}- /m)
    .slice(1)
    .map((text) => {
      const [, kind = '', name = ''] = /^(alert|record): (\S+)/.exec(text) ?? [];
      const expr =
        /expr: \|-\n((?: {10}.*\n)+)/
          .exec(text)?.[1]
          ?.replace(/^ {10}/gm, '')
          .trim() ?? '';
      const labels = /^ {8}labels:\n((?: {10}.*\n)+)/m.exec(text)?.[1] ?? '';
      const names = [...labels.matchAll(/^ {10}(\w+):/gm)].map(([, label = '']) => label);
      return { name, isAlert: kind === 'alert', expr, labels: names, text };
    });
}

const rules = rulesOf(readFileSync(RULES, 'utf8'));

function recorded(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { name, isAlert, expr, labels } of rules) {
    if (isAlert) continue;
    const inner = readPromql(expr, series).labels;
    found.set(name, new Set([...(found.get(name) ?? []), ...inner, ...labels]));
  }
  return found;
}

/** Alerts, with the labels that they show and those that they carry. */
function alertsOf(scraped: ScrapedSeries): Used[] {
  return rules
    .filter(({ isAlert }) => isAlert)
    .map(({ name, expr, labels, text }) => ({
      where: name,
      expr,
      shows: [...readPromql(expr, scraped).labels, ...labels],
      text,
    }));
}

/** Grafana's variables as it would fill them in. */
const filled = (expr: string) =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*').replaceAll('$__range', '1h');

interface Shown {
  readonly panels: { title: string; targets?: { expr?: string; legendFormat?: string }[] }[];
  readonly annotations: { list: { name: string; expr?: string }[] };
}

function dashboardsUse(): Used[] {
  return globSync('deploy/grafana/dashboards/*.json').flatMap((file) => {
    const { panels, annotations }: Shown = JSON.parse(readFileSync(file, 'utf8'));
    const queries = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
    const noted = annotations.list.map(({ name, expr }) => ({ title: name, expr, legendFormat: '' }));
    return [...queries, ...noted].flatMap(({ title, expr, legendFormat = '' }) => {
      if (expr === undefined) return [];
      const shows = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      return [{ where: `${basename(file, '.json')}: ${title}`, expr: filled(expr), shows }];
    });
  });
}

/** Names, labels, and values of labels, that nothing gives. */
function missing(used: readonly Used[], scraped: ScrapedSeries): string[] {
  return used.flatMap(({ where, expr, shows }) => {
    const { problems, labels, matched } = readPromql(expr, scraped);
    const unseen = shows.filter((label) => !labels.has(label)).map((label) => `shows ${label}, which is not in it`);
    return [...problems, ...unseen, ...matched.flatMap(unknownValue)].map((problem) => `${where}: ${problem}`);
  });
}

const sources = globSync('{apps,packages}/*/src/**/*.ts').map((file) => readFileSync(file, 'utf8'));

/** A value that is asked for must at least be written somewhere: most of them are not seen in a healthy hour. */
function unknownValue({ metric, label, value }: Matched): string[] {
  if (metric === 'ALERTS' || metric.startsWith('parley:') || label === 'le') return [];
  const written = [`'${value}'`, `"${value}"`, `${value}:`];
  return sources.some((text) => written.some((word) => text.includes(word))) ? [] : [`no ${label} is ever ${value}`];
}

describe('a live scrape', () => {
  it('[ALERT-6] has every name and label that a rule uses', () => {
    const used = rules.map(({ name, expr, text }) => {
      const shows = [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
      return { where: name, expr, shows };
    });
    expect(used.length).toBeGreaterThan(50);
    expect(missing(used, series)).toEqual([]);
  });

  it('[ALERT-6] has every name and label that a dashboard uses', () => {
    const used = dashboardsUse();
    expect(used.length).toBeGreaterThan(70);
    expect(missing(used, series)).toEqual([]);
  });

  it('[ALERT-6] control: what is planted is seen', () => {
    const see = (expr: string, ...shows: string[]) => missing([{ where: 'here', expr, shows }], series);
    expect(see('sum(parley_call_seconds_count)')).toEqual([]);
    expect(see('sum(parley_calls)')).toEqual(['here: there is no parley_calls']);
    expect(see('sum(parley_call_seconds_count{way="x"})')).toContain(
      'here: parley_call_seconds_count has no label way',
    );
    expect(see('sum by (way) (parley_call_seconds_count)')).toContain('here: nothing under sum has a label way');
    expect(see('sum by (path) (parley_call_seconds_count)', 'outcome')).toEqual([
      'here: shows outcome, which is not in it',
    ]);
    expect(see('parley_call_seconds_count{path="message.sent"}')).toEqual(['here: no path is ever message.sent']);
    expect(see('histogram_quantile(0.9, sum(rate(parley_call_seconds_bucket[1m])))')).toEqual([
      'here: histogram_quantile of what has no le',
    ]);
    expect(see('sum(parley_call_seconds_count')).toEqual(['here: cannot be read at its end']);
    expect(() => readScrapes(['parley_job_seconds_count{job="x"} 1'])).toThrow(/label job/);
  });
});
