import type { Curve } from './report.ts';

const WIDTH = 720;
const HEIGHT = 400;
const EDGE = { left: 76, right: 24, top: 44, bottom: 52 };
const COLOURS = ['#0b6e4f', '#b3472a', '#31538f'];

/** Latency against load as an SVG: p95 of send to delivery as lines with p50 and p99 as a band, times on a logarithmic scale. */
export function plot(curves: readonly Curve[], title: string): string {
  const points = curves.flatMap((curve) => curve.points);
  const loads = points.map(({ perSecond }) => perSecond);
  const times = points.flatMap(({ p50, p99 }) => [p50, p99]).filter((ms) => ms > 0 && Number.isFinite(ms));
  const most = Math.max(1, ...loads);
  const [low, high] = [decadeBelow(Math.min(1, ...times)), decadeAbove(Math.max(10, ...times))];
  const x = (load: number) => EDGE.left + (load / most) * (WIDTH - EDGE.left - EDGE.right);
  const y = (ms: number) => {
    const share = Math.log10(Math.min(high, Math.max(ms || low, low)) / low) / Math.log10(high / low);
    return HEIGHT - EDGE.bottom - share * (HEIGHT - EDGE.top - EDGE.bottom);
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(title, { x: EDGE.left, y: 20, anchor: 'start' }),
    ...decades(low, high).flatMap((ms) => [
      `<line x1="${EDGE.left}" y1="${round(y(ms))}" x2="${WIDTH - EDGE.right}" y2="${round(y(ms))}" stroke="#ddd"/>`,
      text(`${ms} ms`, { x: EDGE.left - 6, y: y(ms) + 4, anchor: 'end' }),
    ]),
    ...[...new Set(loads)].map((load) =>
      text(String(load), { x: x(load), y: HEIGHT - EDGE.bottom + 18, anchor: 'middle' }),
    ),
    text('messages a second, each to ten; hollow: did not keep up', { x: WIDTH / 2, y: HEIGHT - 12, anchor: 'middle' }),
    ...curves.flatMap((curve, i) => drawn(curve, { x, y, colour: COLOURS[i % COLOURS.length] ?? '#000', at: i })),
    '</svg>',
    '',
  ].join('\n');
}

interface Pen {
  readonly x: (load: number) => number;
  readonly y: (ms: number) => number;
  readonly colour: string;
  readonly at: number;
}

function drawn({ name, points }: Curve, { x, y, colour, at }: Pen): string[] {
  const path = (line: readonly (readonly [number, number])[]) =>
    line.map(([load, ms]) => `${round(x(load))},${round(y(ms))}`).join(' ');
  const band = [
    ...points.map(({ perSecond, p99 }) => [perSecond, p99] as const),
    ...points.map(({ perSecond, p50 }) => [perSecond, p50] as const).reverse(),
  ];
  const legendY = EDGE.top + 14 + at * 18;
  return [
    `<polygon points="${path(band)}" fill="${colour}" opacity="0.14"/>`,
    `<polyline points="${path(points.map(({ perSecond, p95 }) => [perSecond, p95] as const))}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    // Hollow: it did not keep up with this load.
    ...points.map(
      ({ perSecond, p95, survived }) =>
        `<circle cx="${round(x(perSecond))}" cy="${round(y(p95))}" r="4" fill="${survived ? colour : '#fff'}" stroke="${colour}"/>`,
    ),
    `<rect x="${EDGE.left + 12}" y="${legendY - 9}" width="12" height="10" fill="${colour}"/>`,
    text(`${name}: p95, band p50 to p99`, { x: EDGE.left + 30, y: legendY, anchor: 'start' }),
  ];
}

const round = (value: number) => Math.round(value * 10) / 10;
const decadeBelow = (ms: number) => 10 ** Math.floor(Math.log10(ms));
const decadeAbove = (ms: number) => 10 ** Math.ceil(Math.log10(ms));

function decades(low: number, high: number): number[] {
  const count = Math.round(Math.log10(high / low));
  return Array.from({ length: count + 1 }, (_, i) => Number((low * 10 ** i).toPrecision(1)));
}

function text(words: string, { x, y, anchor }: { x: number; y: number; anchor: 'start' | 'middle' | 'end' }): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="#222">${safe}</text>`;
}
