import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BREAKS, CONSTANTS, nameOf } from './metric-movers.ts';
import { documented } from './metrics-page.ts';

const sources = () =>
  globSync('packages/testing/test/metrics-*.e2e.test.ts')
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');

/** What is wrong with a table of breaks, given the page and the tests that make them. */
function mistakes(
  breaks: Readonly<Record<string, readonly string[]>>,
  page: readonly string[],
  tests: string,
): string[] {
  const all = [...Object.values(breaks).flat().map(nameOf), ...Object.keys(CONSTANTS)];
  return [
    ...all.filter((name) => !page.includes(name)).map((name) => `${name} is on no page`),
    ...all.filter((name, at) => all.indexOf(name) !== at).map((name) => `${name} stands twice`),
    ...Object.keys(breaks)
      .filter((each) => !tests.includes(`moved(server, '${each}'`))
      .map((each) => `nobody makes ${each}`),
  ];
}

describe('what moves the metrics of the page', () => {
  const page = documented().map(({ name }) => name);

  it('[MET-40] each break is made by a test, and moves metrics that there are', () => {
    expect(mistakes(BREAKS, page, sources())).toEqual([]);
  });

  it('[MET-40] control: what is misspelt, named twice or not made is seen', () => {
    const planted = { 'nothing at all': ['parley_none_total'], 'another build': ['parley_build_info'] };
    expect(mistakes(planted, page, "moved(server, 'another build')")).toEqual([
      'parley_none_total is on no page',
      'parley_build_info stands twice',
      'nobody makes nothing at all',
    ]);
  });
});
