import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A metric as docs/metrics.md has it. */
export interface Documented {
  readonly name: string;
  readonly type: string;
  readonly of: readonly string[];
}

/** The rows of the page's table of all metrics. */
export function documented(): Documented[] {
  const page = readFileSync('docs/metrics.md', 'utf8');
  const rows = page.matchAll(/^\| `(parley_\w+)` \| (counter|gauge|histogram) \| [^|]* \| ([^|]*) \|/gm);
  return [...rows].map(([, name = '', type = '', of = '']) => ({ name, type, of: of.trim().split(', ') }));
}

/** What `promtool check metrics` says of a scrape; nothing when it finds nothing wrong. */
export function lint(promtool: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(promtool, ['check', 'metrics'], (error, stdout, stderr) => {
      resolve(`${stdout}${stderr}`.trim() || (error ? error.message : ''));
    });
    child.stdin?.end(text);
  });
}
