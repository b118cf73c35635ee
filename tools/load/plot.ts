/** One line of a plot; a null leaves a gap. */
export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
}

/** A plot over the seconds of a run. */
export interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
  /** A promised limit, drawn across. */
  readonly limit?: number;
  /** Where phases begin, in seconds. */
  readonly marks: readonly { readonly second: number; readonly label: string }[];
}

const WIDTH = 560;
const HEIGHT = 190;
const LEFT = 52;
const RIGHT = 18;
const TOP = 14;
const BOTTOM = 22;
const COLOURS = ['#2563eb', '#d97706', '#dc2626', '#059669', '#7c3aed', '#475569'];

/** The plot as an SVG that needs nothing else. */
export function svgOf(plot: Plot): string {
  const seconds = Math.max(1, ...plot.lines.map(({ values }) => values.length - 1));
  const found = plot.lines.flatMap(({ values }) => values.filter((value) => value !== null));
  const highest = Math.max(...found, plot.limit ?? 0);
  const top = highest > 0 ? niceTop(highest) : 1;
  const x = (second: number) => round(LEFT + ((WIDTH - LEFT - RIGHT) * second) / seconds);
  const y = (value: number) => round(HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * Math.min(value, top)) / top);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * top);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" class="grid"/><text x="${LEFT - 6}" y="${at + 4}" class="tick end">${short(part * top)}</text>`;
  });
  const times = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      `<text x="${x(part * seconds)}" y="${HEIGHT - 6}" class="tick mid">${Math.round(part * seconds)} s</text>`,
  );
  const marks = plot.marks.map(
    ({ second, label }) =>
      `<line x1="${x(second)}" x2="${x(second)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="mark"/><text x="${x(second) + 2}" y="${TOP - 4}" class="tick">${escapeHtml(label)}</text>`,
  );
  const limit =
    plot.limit === undefined
      ? ''
      : `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(plot.limit)}" y2="${y(plot.limit)}" class="limit"/>`;
  const lines = plot.lines.map(({ values }, at) => `<path d="${pathOf(values, x, y)}" stroke="${colourOf(at)}"/>`);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(plot.title)}">${[...grid, ...times, ...marks, limit, ...lines].join('')}</svg>`;
}

/** The plot with its title and the names of its lines. */
export function figureOf(plot: Plot): string {
  const names = plot.lines.map(({ label }, at) => `<span style="--colour:${colourOf(at)}">${escapeHtml(label)}</span>`);
  return `<figure><figcaption><b>${escapeHtml(plot.title)}</b> <i>${escapeHtml(plot.unit)}</i> ${names.join(' ')}</figcaption>${svgOf(plot)}</figure>`;
}

function pathOf(values: Line['values'], x: (second: number) => number, y: (value: number) => number): string {
  let pen = 'M';
  return values
    .map((value, second) => {
      if (value === null) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${x(second)} ${y(value)}`;
      pen = 'L';
      return step;
    })
    .join('');
}

/** The next of 1, 2, 2.5, 5, 10 … that is not below. */
export function niceTop(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5].find((step) => step * unit >= value) ?? 10) * unit;
}

const colourOf = (at: number): string => COLOURS[at % COLOURS.length] ?? 'black';
const round = (value: number): number => Math.round(value * 10) / 10;
const short = (value: number): string =>
  value >= 10_000 ? `${round(value / 1_000)}k` : String(Number(value.toPrecision(3)));

/** Text that stands for itself in HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
