import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DashboardJson, drawPage } from '../../../tools/drawing/page.ts';
import { readPanel, type Span } from '../../../tools/drawing/read-panel.ts';
import { needs } from '../src/vitest.ts';
import { openBrowser } from './browser-window.ts';
import { chatter, startWatched, type WatchedCluster } from './watched-cluster.ts';

const RULES = resolve('deploy/prometheus/rules/parley.yaml');
/** On a good day there is nothing in these. */
const QUIET = ['Calls that fail by our fault', 'What fires, or begins to'];

const prometheus = needs('prometheus');
const chromium = needs('chromium', '/usr/bin/chromium');
const read = (file: string): DashboardJson => JSON.parse(readFileSync(file, 'utf8'));
const overview = read('deploy/grafana/dashboards/overview.json');

const spanOf = (seconds: number): Span => {
  const to = Math.floor(Date.now() / 1_000);
  return { from: to - seconds, to, stepS: 1 };
};

interface Firing {
  readonly labels: Record<string, string>;
  readonly state: string;
}

prometheus.describe('the overview of a running cluster', () => {
  let watched: WatchedCluster;
  let over = false;
  let talking: Promise<void>;
  beforeAll(async () => {
    watched = await startWatched([RULES]);
    talking = chatter(watched.cluster, () => !over);
    await sleep(15_000);
  }, 120_000);
  afterAll(async () => {
    over = true;
    await talking;
    await watched?.[Symbol.asyncDispose]();
  });

  const newest = async (title: string) => {
    const panel = overview.panels.find((each) => each.title === title && each.type !== 'row');
    if (!panel) throw new Error(`there is no panel ${title}`);
    const lines = await readPanel(panel, watched.prometheus.url, spanOf(2));
    return Object.fromEntries(lines.map(({ name, points }) => [name, points.at(-1)?.[1]]));
  };
  const alerts = async () => {
    const { alerts: all } = (await watched.prometheus.ask('/api/v1/alerts')) as { alerts: Firing[] };
    return all.map(({ labels, state }) => `${state} ${labels.alertname} ${labels.dependency ?? ''}`.trim());
  };

  it('[ALERT-8] every panel of it has something to show, and chat is fine', async () => {
    const panels = overview.panels.filter(({ type, title }) => type !== 'row' && !QUIET.includes(title));
    const empty = async () => {
      const shown = await Promise.all(panels.map((panel) => readPanel(panel, watched.prometheus.url, spanOf(10))));
      return panels.flatMap(({ title }, i) => (shown[i]?.some(({ points }) => points.length > 0) ? [] : [title]));
    };
    await expect.poll(empty, { timeout: 15_000 }).toEqual([]);
    expect(await newest('Is chat fine?')).toEqual({ '': 0 });
    expect((await newest('Messages per second')).accepted).toBeGreaterThan(0);
    expect(await newest('Dependencies')).toMatchObject({ log: 0, postgres: 0, cache: 0 });
  }, 40_000);

  it('[ALERT-8] Prometheus understands every expression of every dashboard', async () => {
    const files = globSync('deploy/grafana/dashboards/*.json').filter((file) => !file.endsWith('product.json'));
    for (const file of files) {
      const { panels } = read(file);
      for (const panel of panels) await readPanel(panel, watched.prometheus.url, spanOf(2));
    }
  }, 60_000);

  it('[ALERT-9] it names the store that is away, an alert begins, and both end when it is back', async () => {
    const { cache } = watched.cluster;
    await cache.kill();
    await expect.poll(() => newest('Dependencies'), { timeout: 30_000 }).toMatchObject({ cache: 1, log: 0 });
    await expect.poll(alerts, { timeout: 30_000 }).toContain('pending ParleyDependencyAway cache');
    await cache.restart();
    await expect.poll(() => newest('Dependencies'), { timeout: 30_000 }).toMatchObject({ cache: 0, log: 0 });
    await expect.poll(alerts, { timeout: 30_000 }).not.toContain('pending ParleyDependencyAway cache');
  }, 120_000);
});

const picture = process.env.OVERVIEW_PICTURE;
if (picture && !prometheus.missing) {
  chromium.test(
    'the picture of the documentation: six minutes, of which Postgres is away for two',
    async () => {
      await using watched = await startWatched([RULES]);
      const ends = Date.now() + 360_000;
      const talking = chatter(watched.cluster, () => Date.now() < ends);
      await sleep(215_000);
      await watched.cluster.postgres.stop();
      await sleep(120_000);
      const html = await drawPage(overview, watched.prometheus.url, { ...spanOf(330), stepS: 2 });
      await watched.cluster.postgres.restart();
      const browser = await openBrowser(chromium.path);
      const page = await browser.newPage({ viewport: { width: 1_512, height: 830 }, deviceScaleFactor: 0.85 });
      await page.setContent(html);
      await page.screenshot({ path: resolve(picture) });
      await browser.close();
      await talking;
    },
    600_000,
  );
}
