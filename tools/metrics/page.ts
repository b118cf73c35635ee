import type { Described } from './registries.ts';

const BEGIN = '<!-- From here on written by `npm run metrics-page` from the registries of the apps. -->';

/** A page with its tables as the metrics are now; what stands before them is left alone. */
export function renewPage(page: string, metrics: readonly Described[]): string {
  const at = page.indexOf(BEGIN);
  if (at < 0) throw new Error(`docs/metrics.md has lost its mark:\n${BEGIN}`);
  return `${page.slice(0, at)}${BEGIN}\n\n${tablesOf(metrics)}`;
}

function tablesOf(metrics: readonly Described[]): string {
  const rows = metrics.map((metric) => {
    const { name, type, labels, of, help } = metric;
    const labelled = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${labelled} | ${of.join(', ')} | ${help} |`;
  });
  const bounds = metrics
    .filter(({ type }) => type === 'histogram')
    .map(({ name, buckets }) => `| \`${name}\` | ${buckets.join(', ')} |`);
  return [
    '## All metrics',
    '',
    '| name | type | labels | of | what it is |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Bounds of the histograms',
    '',
    '| name | upper bounds, `+Inf` besides |',
    '|---|---|',
    ...bounds,
    '',
  ].join('\n');
}
