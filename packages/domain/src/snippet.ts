/** How much of a body a snippet shows, in code points; a longer match is shown whole. */
const SHOWN = 160;
/** How much of that comes before the match. */
const LEAD = 40;
const CUT = '…';

/**
 * The part of a body around the first match, whatever its case. Nothing is cut inside a code point, and the match is never cut. A match
 * that only Postgres sees (its letters fold otherwise) gives the beginning.
 */
export function snippetOf(body: string, query: string): string {
  const points = [...body];
  const { from, to } = firstMatch(points, query);
  const begin = Math.max(0, Math.min(from - LEAD, points.length - SHOWN));
  const end = Math.min(points.length, Math.max(to, begin + SHOWN));
  return `${begin > 0 ? CUT : ''}${points.slice(begin, end).join('')}${end < points.length ? CUT : ''}`;
}

/** In code points. Some letters have more of them in lower case: where each comes from is noted. */
function firstMatch(points: readonly string[], query: string): { from: number; to: number } {
  let folded = '';
  const origin: number[] = [];
  for (const [i, point] of points.entries()) {
    const lower = point.toLowerCase();
    folded += lower;
    for (let unit = 0; unit < lower.length; unit++) origin.push(i);
  }
  // Letter by letter, as the body: at the end of a word some have another lower case.
  const wanted = Array.from(query, (point) => point.toLowerCase()).join('');
  const at = folded.indexOf(wanted);
  const [from, last] = [origin[at], origin[at + wanted.length - 1]];
  return from === undefined || last === undefined ? { from: 0, to: 0 } : { from, to: last + 1 };
}
