import { readFileSync } from 'node:fs';
import { createMetrics } from '@parley/runtime';
import { describe, expect, it } from 'vitest';
import { renewPage } from './metrics/page.ts';
import { type Described, describeAll } from './metrics/registries.ts';

const metrics = describeAll();
const page = readFileSync('docs/metrics.md', 'utf8');

/** Where a name is not what Prometheus asks for. */
function oddNames(all: readonly Pick<Described, 'name' | 'type' | 'labels' | 'help'>[]): string[] {
  return all.flatMap(({ name, type, labels, help }) => {
    const odd: string[] = [];
    if (!/^parley_[a-z0-9_]+$/.test(name)) odd.push(`${name}: not parley_ and snake case`);
    if ((type === 'counter') !== name.endsWith('_total')) odd.push(`${name}: a ${type}`);
    if (/_(count|sum|bucket|ms|kb|mb|millis|percent)(_|$)/.test(name)) odd.push(`${name}: no base unit`);
    if (type === 'histogram' && !/_(seconds|bytes|listeners)$/.test(name)) odd.push(`${name}: no unit`);
    if (help === '') odd.push(`${name}: no help`);
    for (const label of labels) if (UNBOUNDED.test(label)) odd.push(`${name}: ${label} has no bound`);
    return odd;
  });
}

/** Labels whose values users make. */
const UNBOUNDED = /user|channel|message|body|email|token|address|ip$|host|url|[iI]d$/;

describe('docs/metrics.md', () => {
  it('[MET-1] is what the registries of the apps have: run `npm run metrics-page`', () => {
    expect(renewPage(page, metrics)).toBe(page);
  });

  it('[MET-1] control: a metric that nobody wrote down is seen', () => {
    const planted = { name: 'parley_planted_total', help: 'x', type: 'counter', labels: [], buckets: [] } as const;
    expect(renewPage(page, [...metrics, { ...planted, of: ['api'] }])).not.toBe(page);
  });

  it('[MET-1] names no metric in its text that does not exist', () => {
    const names = new Set(metrics.map(({ name }) => name));
    const text = page.slice(0, page.indexOf('<!--'));
    const named = [...text.matchAll(/`(parley_[a-z0-9_]+)`/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !names.has(name) && !name.endsWith('_'))).toEqual([]);
  });
});

describe('names and labels', () => {
  it('[MET-2] say prefix, unit and kind, and no label takes what users make', () => {
    expect(oddNames(metrics)).toEqual([]);
  });

  it('[MET-2] control: odd ones are seen', () => {
    const help = 'x';
    const planted = [
      { name: 'sends_total', type: 'counter', labels: [], help },
      { name: 'parley_sends', type: 'counter', labels: [], help },
      { name: 'parley_send_ms', type: 'gauge', labels: ['channelId'], help },
      { name: 'parley_sent', type: 'histogram', labels: ['user'], help: '' },
    ] as const;
    expect(oddNames(planted)).toHaveLength(7);
  });

  it('[MET-2] the promised limits are bounds of what they are measured by', () => {
    const bounds = new Map(metrics.map(({ name, buckets }) => [name, buckets]));
    for (const part of ['accept', 'delivery', 'persist', 'receipt']) {
      expect(bounds.get(`parley_message_${part}_seconds`)).toEqual(expect.arrayContaining([0.05, 0.1]));
    }
    expect(bounds.get('parley_call_seconds')).toEqual(expect.arrayContaining([0.01, 0.02, 0.05, 0.1]));
  });

  it('[MET-2] a gauge that is asked for twice is set by both who ask, and keeps its prefix once', async () => {
    const two = createMetrics({ prefix: 'parley_' });
    const pool = (name: string, value: number) =>
      two.gauge('pool', 'x', { labels: ['pool'], collect: (gauge) => gauge.set({ pool: name }, value) });
    expect(pool('a', 1)).toBe(pool('b', 2));
    const text = await two.text();
    expect(text).toContain('parley_pool{pool="a"} 1\nparley_pool{pool="b"} 2\n');
    expect(text).not.toContain('parley_parley');
  });
});
