import type { ApiProcess } from '../../packages/testing/src/cluster.ts';

/** What the api says of itself under these names, without the prefix; all threads and labels together. To be scraped takes it a while: not to be done while it is timed. */
export async function metricsOf<Name extends string>(
  api: ApiProcess,
  names: readonly Name[],
): Promise<Record<Name, number>> {
  const text = await (await fetch(`http://127.0.0.1:${api.opsPort}/metrics`)).text();
  const sum = (name: string) => {
    const found = [...text.matchAll(new RegExp(`^parley_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
    return found.length === 0 ? Number.NaN : found.reduce((all, [, value]) => all + Number(value), 0);
  };
  return Object.fromEntries(names.map((name) => [name, sum(name)])) as Record<Name, number>;
}
