/** The labels that the series of each name carry, as a page of metrics and the target that it comes from give them. */
export type ScrapedSeries = Map<string, Set<string>>;

/** What Prometheus itself adds to whatever it scrapes. */
const OF_TARGET = ['job', 'instance'];

/** Reads pages in the text form of Prometheus. A name without a sample is there, without labels of its own. */
export function readScrapes(pages: readonly string[]): ScrapedSeries {
  const series: ScrapedSeries = new Map();
  const add = (name: string, labels: readonly string[]) => {
    const known = series.get(name) ?? new Set(OF_TARGET);
    for (const label of labels) {
      // It would be renamed to exported_job, and whoever sums by it would sum by target.
      if (OF_TARGET.includes(label)) throw new Error(`${name} has a label ${label}, which is Prometheus' own`);
      known.add(label);
    }
    series.set(name, known);
  };
  for (const line of pages.flatMap((page) => page.split('\n'))) {
    const [, typed = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (type === 'histogram')
      for (const part of ['_bucket', '_sum', '_count']) add(typed + part, part === '_bucket' ? ['le'] : []);
    else if (type !== '') add(typed, []);
    const [, name = '', , labels = ''] = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name !== '')
      add(
        name,
        [...labels.matchAll(/([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g)].map(([, label = '']) => label),
      );
  }
  return series;
}
