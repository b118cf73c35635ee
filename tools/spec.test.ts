import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** The rules' ids, in the order of the text: `- **[SEND-3]** sentence`. */
function rulesOf(spec: string): string[] {
  return [...spec.matchAll(/^- \*\*\[([A-Z]+-\d+)\]\*\*/gm)].map((match) => match[1] ?? '');
}

/** The ids that titles of tests begin with: `'[SEND-3] …'`, `'[SEND-3] [ORD-1] …'`. */
function titlesOf(source: string): string[] {
  const titles = [...source.matchAll(/['"`]((?:\[[A-Z]+-\d+\][ ,]*)+)/g)].map((match) => match[1] ?? '');
  return titles.flatMap((title) => [...title.matchAll(/\[([A-Z]+-\d+)\]/g)].map((match) => match[1] ?? ''));
}

/** What the rules promise and no test shows, what tests show and no rule promises, and ids that two rules have. */
function mismatches(spec: string, tests: readonly string[]): string[] {
  const rules = rulesOf(spec);
  const tested = new Set(tests.flatMap(titlesOf));
  return [
    ...rules.filter((id, at) => rules.indexOf(id) !== at).map((id) => `${id} stands twice in the specification`),
    ...rules.filter((id) => !tested.has(id)).map((id) => `${id} has no test`),
    ...[...tested].filter((id) => !rules.includes(id)).map((id) => `${id} is tested, but is no rule`),
  ];
}

describe('SPEC.md and the tests', () => {
  it('name the same rules', () => {
    const places = ['{packages,apps}/*/test/**/*.test.{ts,tsx}', 'tools/*.test.ts', 'regression/**/*.test.ts'];
    const files = globSync(places).filter((file) => file !== 'tools/spec.test.ts'); // This one's titles are planted.
    const tests = files.map((file) => readFileSync(file, 'utf8'));
    expect(mismatches(readFileSync('packages/protocol/SPEC.md', 'utf8'), tests)).toEqual([]);
  });

  it('control: planted mismatches are seen in both directions', () => {
    const spec = '- **[SEND-1]** a\n- **[SEND-2]** b\n- **[ORD-1]** c\n- **[SEND-1]** d\n';
    const tests = ["it('[SEND-1] [ORD-1] x', …", 'test(`[FAN-7] y`, …'];
    expect(mismatches(spec, tests)).toEqual([
      'SEND-1 stands twice in the specification',
      'SEND-2 has no test',
      'FAN-7 is tested, but is no rule',
    ]);
  });
});
