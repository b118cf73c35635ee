import type { Line, PanelJson, Span } from './read-panel.ts';
import { withUnit } from './units.ts';

export const COLORS = ['#3b7ddd', '#e8833a', '#3f9c5a', '#b04fc0', '#c9a400', '#d64550', '#2aa5b8', '#7a6a58'];
const LIMIT_COLORS: Readonly<Record<string, string>> = { green: '#2f9e5b', orange: '#e08a1e', red: '#d33a3a' };

/** Texts inside HTML and SVG. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** What the colour of a limit is for this value. */
export function colorAt(value: number, panel: PanelJson): string {
  const steps = panel.fieldConfig?.defaults.thresholds.steps ?? [];
  const reached = steps.filter((step) => step.value === null || value >= step.value).at(-1);
  return LIMIT_COLORS[reached?.color ?? 'green'] ?? '#888888';
}

interface Box {
  readonly width: number;
  readonly height: number;
}

const LEFT = 52;
const BOTTOM = 16;
const TOP = 6;

/** Lines over time as one SVG. */
export function lineChart(panel: PanelJson, drawn: readonly Line[], { width, height, ...span }: Box & Span): string {
  const defaults = panel.fieldConfig?.defaults;
  const unit = defaults?.unit ?? 'short';
  const lines = defaults?.custom?.stacking?.mode === 'normal' ? stacked(drawn) : drawn;
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  const top = defaults?.max ?? niceTop(Math.max(0, ...values));
  const x = (at: number) => LEFT + ((at - span.from) / (span.to - span.from)) * (width - LEFT - 6);
  const y = (value: number) => TOP + (1 - Math.min(value, top) / top) * (height - TOP - BOTTOM);
  const grid = [0, 0.5, 1].map((part) => {
    const at = y(part * top);
    return `<line x1="${LEFT}" x2="${width - 6}" y1="${at}" y2="${at}" class="grid"/><text x="${LEFT - 6}" y="${at + 3}" class="axis" text-anchor="end">${withUnit(part * top, unit)}</text>`;
  });
  const limits = (defaults?.thresholds.steps ?? [])
    .filter(({ value }) => value !== null && value <= top)
    .map(({ value, color }) => {
      const at = y(value ?? 0);
      return `<line x1="${LEFT}" x2="${width - 6}" y1="${at}" y2="${at}" stroke="${LIMIT_COLORS[color]}" stroke-dasharray="4 3" opacity="0.7"/>`;
    });
  const paths = lines.map(({ points }, i) => {
    const color = COLORS[i % COLORS.length];
    return `<path d="${pathOf(points, x, y)}" fill="none" stroke="${color}" stroke-width="1.5" stroke-linejoin="round"/>`;
  });
  const times = [0, 0.5, 1].map((part) => {
    const at = span.from + part * (span.to - span.from);
    const anchor = part === 0 ? 'start' : part === 1 ? 'end' : 'middle';
    return `<text x="${x(at)}" y="${height - 4}" class="axis" text-anchor="${anchor}">${clock(at)}</text>`;
  });
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${[...grid, ...limits, ...paths, ...times].join('')}</svg>`;
}

/** A quiet line behind a number. */
export function sparkline({ points }: Line, { width, height, ...span }: Box & Span): string {
  const most = Math.max(...points.map(([, value]) => value), 1e-9);
  const x = (at: number) => ((at - span.from) / (span.to - span.from)) * width;
  const y = (value: number) => height - (value / most) * (height - 2);
  return `<svg class="spark" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none"><path d="${pathOf(points, x, y)}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>`;
}

/** What has no value interrupts a line: nothing is made up. */
function pathOf(points: Line['points'], x: (at: number) => number, y: (value: number) => number): string {
  let pen = 'M';
  const parts: string[] = [];
  for (const [at, value] of points) {
    if (!Number.isFinite(value)) {
      pen = 'M';
      continue;
    }
    parts.push(`${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
    pen = 'L';
  }
  return parts.join('');
}

function stacked(lines: readonly Line[]): Line[] {
  const below = new Map<number, number>();
  return lines.map((line) => ({
    ...line,
    points: line.points.map(([at, value]) => {
      const sum = (below.get(at) ?? 0) + (Number.isFinite(value) ? value : 0);
      below.set(at, sum);
      return [at, sum] as const;
    }),
  }));
}

/** 1, 2 or 5 times a power of ten, above everything that is drawn. */
function niceTop(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5, 10].find((step) => step * power >= most * 1.05) ?? 10) * power;
}

const clock = (at: number) => new Date(at * 1_000).toISOString().slice(11, 16);
