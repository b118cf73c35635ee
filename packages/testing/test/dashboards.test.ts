import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dashboards, keptDashboard } from '../../../tools/dashboards.ts';
import { schemaProblems } from './grafana-schema.ts';

const kept = Object.fromEntries(
  globSync('deploy/grafana/dashboards/*.json').map((file) => [basename(file, '.json'), readFileSync(file, 'utf8')]),
);

describe('deploy/grafana/dashboards', () => {
  it('[ALERT-10] are what Grafana’s schema allows, and nothing else', async () => {
    expect(Object.keys(kept).length).toBeGreaterThanOrEqual(6);
    expect(await schemaProblems(kept)).toEqual([]);
  }, 60_000);

  it('[ALERT-10] are what their sources make', () => {
    const made = Object.entries(dashboards).map(([name, dashboard]) => [name, keptDashboard(dashboard)]);
    expect(kept).toEqual(Object.fromEntries(made));
  });

  it('[ALERT-10] control: what is planted is seen', async () => {
    const overview = kept.overview ?? '';
    const planted = {
      enum: overview.replace('"graphMode": "area"', '"graphMode": "mountain"'),
      unknown: overview.replace('"textMode":', '"textMood":'),
      shape: overview.replace('"gridPos": {', '"gridPos": { "z": 1,'),
      type: overview.replace('"type": "timeseries"', '"type": "timesheet"'),
      query: overview.replace('"legendFormat":', '"legend":'),
    };
    for (const text of Object.values(planted)) expect(text).not.toBe(overview);
    const problems = await schemaProblems(planted);
    for (const name of Object.keys(planted)) expect(problems.join('\n')).toContain(`${name}.ts(`);
  }, 60_000);
});
