interface Part {
  /** Matchers of labels, as they stand between braces. */
  readonly of?: string;
  /** What there is one series for, each. */
  readonly by?: readonly string[];
}

/** What holds of the processes that were picked on the dashboard. */
export const PICKED = 'instance=~"$instance"';

/** `of` as a selector, or nothing. */
function braces(of: string | undefined): string {
  return of === undefined ? '' : `{${of}}`;
}

/** How often a counter rises, per second. */
export function perSecond(metric: string, { of, by = [] }: Part = {}): string {
  return `${sum(by)}(rate(${metric}${braces(of)}[$__rate_interval]))`;
}

/** The time (or size) that this part, of 1, of all observations of a histogram stays below. */
export function quantile(part: number, metric: string, { of, by = [] }: Part = {}): string {
  return `histogram_quantile(${part}, ${sum(['le', ...by])}(rate(${metric}_bucket${braces(of)}[$__rate_interval])))`;
}

/** A gauge, added up. */
export function total(metric: string, { of, by = [] }: Part = {}): string {
  return `${sum(by)}(${metric}${braces(of)})`;
}

function sum(by: readonly string[]): string {
  return by.length === 0 ? 'sum' : `sum by (${by.join(', ')}) `;
}
