import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ChartValue, readValues } from './schema.ts';
import { chartSettings } from './settings.ts';

/** Where the chart is, from the root. */
export const CHART = 'deploy/helm/parley';

/** Files that live elsewhere, too: a chart reads nothing outside of itself. */
const COPIED = [
  { from: 'deploy/prometheus/rules/*.yaml', to: 'files/rules' },
  { from: 'deploy/grafana/dashboards/*.json', to: 'files/dashboards' },
];

/** Folders of the chart in which nothing but generated files may lie. */
export const GENERATED_FOLDERS = COPIED.map(({ to }) => join(CHART, to));

/** Every file of the chart that is made from something else, by its path from the root, with the text that it must have. */
export function generatedFiles(root: string): ReadonlyMap<string, string> {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const settings = chartSettings();
  const { schema, values } = readValues(read(`${CHART}/values.yaml`), settings);
  const known = Object.fromEntries(Object.entries(settings).map(([name, { of, secret }]) => [name, { of, secret }]));
  const rows = Object.entries(known).map(([name, one]) => `  ${JSON.stringify(name)}: ${JSON.stringify(one)}`);
  const made = new Map([
    [`${CHART}/files/settings.json`, `{\n${rows.join(',\n')}\n}\n`],
    [`${CHART}/values.schema.json`, `${JSON.stringify(schema, null, 1)}\n`],
    [`${CHART}/README.md`, read(`${CHART}/README.md.tmpl`).replace('<!-- values -->', () => table(values))],
  ]);
  for (const { from, to } of COPIED) {
    for (const path of globSync(from, { cwd: root })) made.set(`${CHART}/${to}/${basename(path)}`, read(path));
  }
  return made;
}

function table(values: readonly ChartValue[]): string {
  const cell = (value: unknown) => `\`${JSON.stringify(value)}\``.replaceAll('|', '\\|');
  const rows = values.map(({ path, doc, byDefault }) => `| \`${path}\` | ${cell(byDefault)} | ${doc} |`);
  return ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n');
}
