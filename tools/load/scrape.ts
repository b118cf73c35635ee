/** One line of a Prometheus text. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a Prometheus text; names without the prefix that a deployment puts before them. */
export function parseMetrics(text: string, prefix = 'parley_'): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)/i.exec(line) ?? [];
    if (name === '') return [];
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    return [{ name: bare, labels: labelsOf(labels), value: Number(value) }];
  });
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** The sum of all samples of a name that have these labels. */
export function sumOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((all, { value }) => all + value, 0);
}

/** One cache between two scrapes. */
export interface CacheUse {
  readonly cache: string;
  readonly hits: number;
  readonly asked: number;
  /** Of those asked: the cache store did not answer in time, or with something else. */
  readonly errors: number;
}

/** How each cache was used between two scrapes. An error found nothing, so it is no hit. */
export function cacheUse(before: string, after: string): CacheUse[] {
  const [first, last] = [parseMetrics(before), parseMetrics(after)];
  const name = 'cache_requests_total';
  const caches = new Set(last.filter((sample) => sample.name === name).map(({ labels }) => labels.cache ?? ''));
  return [...caches].sort().map((cache) => {
    const since = (labels: Record<string, string>) => sumOf(last, name, labels) - sumOf(first, name, labels);
    const of = (outcome: string) => since({ cache, outcome });
    return { cache, hits: of('hit'), asked: since({ cache }), errors: of('error') };
  });
}

/** The text of a /metrics page; null when there is none. */
export async function scrape(ops: string | null): Promise<string | null> {
  if (ops === null) return null;
  try {
    const answer = await fetch(`${ops}/metrics`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null; // The run goes on without; what rests on it is said to be unknown.
  }
}
