import { COLORS, colorAt, escaped, lineChart, sparkline } from './chart.ts';
import { type Line, type PanelJson, readPanel, type Span } from './read-panel.ts';
import { withUnit } from './units.ts';

/** What is drawn of a dashboard's JSON. */
export interface DashboardJson {
  readonly title: string;
  readonly description: string;
  readonly panels: readonly PanelJson[];
}

const COLUMN_PX = 62;
const ROW_PX = 34;
const GAP_PX = 8;

/** A dashboard as one page of HTML that needs nothing else: every panel is drawn from what this Prometheus answers. */
export async function drawPage(dashboard: DashboardJson, prometheus: string, span: Span): Promise<string> {
  const panels = await Promise.all(
    dashboard.panels.map(async (panel) => {
      if (panel.type === 'row') return `<h2 style="${placeOf(panel)}">${escaped(panel.title)}</h2>`;
      const lines = await readPanel(panel, prometheus, span);
      return `<section style="${placeOf(panel)}"><h3>${escaped(panel.title)}</h3>${bodyOf(panel, lines, span)}</section>`;
    }),
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(dashboard.title)}</title><style>${STYLE}</style>
<header><b>${escaped(dashboard.title)}</b> ${escaped(dashboard.description)}</header><main>${panels.join('\n')}</main></html>\n`;
}

function placeOf({ gridPos: { x, y, w, h } }: PanelJson): string {
  return `grid-area: ${y + 1} / ${x + 1} / span ${h} / span ${w}`;
}

function bodyOf(panel: PanelJson, lines: readonly Line[], span: Span): string {
  if (panel.type === 'table') return tableOf(panel, lines);
  if (lines.every(({ points }) => points.length === 0)) return '<p class="none">nothing</p>';
  if (panel.type === 'stat')
    return `<div class="stats">${lines.map((line) => statOf(panel, line, span)).join('')}</div>`;
  const { w, h } = panel.gridPos;
  const width = w * COLUMN_PX - GAP_PX - 16;
  const height = h * ROW_PX - GAP_PX - 52;
  return `${lineChart(panel, lines, { width, height, ...span })}<div class="legend">${lines.map(legendOf(panel)).join('')}</div>`;
}

function statOf(panel: PanelJson, line: Line, span: Span): string {
  const { unit = 'short', mappings = [], thresholds } = panel.fieldConfig?.defaults ?? {};
  const value = line.points.at(-1)?.[1] ?? Number.NaN;
  const word = mappings[0]?.options[String(value)]?.text;
  const judged = (thresholds?.steps.length ?? 0) > 1;
  const style = judged && Number.isFinite(value) ? `background:${colorAt(value, panel)};color:#fff` : 'color:#2b5fae';
  const behind = word === undefined ? sparkline(line, { width: 240, height: 40, ...span }) : '';
  const name = line.name === '' ? '' : `<small>${escaped(line.name)}</small>`;
  return `<div class="stat" style="${style}">${behind}<span>${name}<b>${escaped(word ?? withUnit(value, unit))}</b></span></div>`;
}

const legendOf = (panel: PanelJson) => (line: Line, i: number) => {
  const last = line.points.at(-1)?.[1] ?? Number.NaN;
  const unit = panel.fieldConfig?.defaults.unit ?? 'short';
  return `<span><i style="background:${COLORS[i % COLORS.length]}"></i>${escaped(line.name)} <em>${withUnit(last, unit)}</em></span>`;
};

function tableOf(panel: PanelJson, lines: readonly Line[]): string {
  const hidden = panel.transformations?.[0]?.options?.excludeByName ?? {};
  const names = [...new Set(lines.flatMap(({ labels }) => Object.keys(labels)))].filter((name) => !hidden[name]);
  if (lines.length === 0) return '<p class="none">nothing</p>';
  const cells = (tag: string, texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join('')}</tr>`;
  const by = panel.options?.sortBy?.[0]?.displayName ?? '';
  const sorted = lines.toSorted((a, b) => (a.labels[by] ?? '').localeCompare(b.labels[by] ?? ''));
  const rows = sorted.map(({ labels }) =>
    cells(
      'td',
      names.map((name) => labels[name] ?? ''),
    ),
  );
  return `<table>${cells('th', names)}${rows.join('')}</table>`;
}

const STYLE = `
body { margin: 12px; width: ${24 * COLUMN_PX}px; font: 12px system-ui, sans-serif; background: #f4f5f7; color: #24292f }
header { margin: 0 2px 6px; color: #666 } header b { font-size: 15px; color: #111; margin-right: 8px }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: ${ROW_PX - GAP_PX}px; gap: ${GAP_PX}px }
h2 { font-size: 13px; margin: 0; align-self: end } h3 { font-size: 12px; margin: 0 0 4px; font-weight: 600 }
section { background: #fff; border: 1px solid #dfe2e6; border-radius: 4px; padding: 6px 8px; overflow: hidden; display: flex; flex-direction: column }
.grid { stroke: #e8eaed } .axis { font-size: 10px; fill: #777 } svg { display: block }
.legend { display: flex; flex-wrap: wrap; gap: 0 12px; font-size: 11px; color: #444; max-height: 28px; overflow: hidden }
.legend i { display: inline-block; width: 10px; height: 3px; margin-right: 4px; vertical-align: middle } em { color: #888; font-style: normal }
.stats { flex: 1; display: flex; flex-wrap: wrap; gap: 4px } .stat { flex: 1 1 40%; position: relative; border-radius: 3px; display: grid; place-items: center; overflow: hidden; min-height: 34px }
.stat b { font-size: 21px } .stat small { margin-right: 6px; font-size: 12px } .spark { position: absolute; inset: 40% 0 0; width: 100%; height: 60%; opacity: .35 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: 2px 5px; font-size: 11px; white-space: nowrap; border-bottom: 1px solid #eee } .none { color: #999; margin: auto }
`;
